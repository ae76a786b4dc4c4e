using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Caching;

/// <summary>Compares the cache of one layer with the plain concatenation of all tokens.</summary>
public sealed class LayerCacheTests
{
    private const int Heads = 2;
    private const int Features = 3;
    private const int BytesPerToken = 2 * Heads * Features * sizeof(float);

    private static readonly int?[] s_windows = [null, 1, 2, 3, 7];

    private static readonly Gen<(int? Window, int[] Chunks)> s_runs =
        Gen.Select(Gen.Int[0, 4].Select(i => s_windows[i]), Gen.Frequency((3, Gen.Int[1, 3]), (1, Gen.Int[1, 90])).Array[1, 30]);

    [Fact]
    public void Append_AnyChunks_GivesTheEndOfThePlainConcatenation() => s_runs.Sample(
        (window, chunks) =>
        {
            using var scope = NewDisposeScope();
            using var cache = new LayerCache(window);
            (Tensor allKeys, Tensor allValues) = (Tokens(1, chunks.Sum()), Tokens(1, chunks.Sum()).neg());
            long total = 0;
            foreach (int chunk in chunks)
            {
                (Tensor keys, Tensor values, long first) =
                    cache.Append(allKeys.narrow(2, total, chunk), allValues.narrow(2, total, chunk));

                long expectedFirst = window is null ? 0 : Math.Max(0, total - (window.Value - 1));
                total += chunk;
                Assert.Equal(expectedFirst, first);
                Assert.True(keys.Equals(allKeys.narrow(2, first, total - first)));
                Assert.True(values.Equals(allValues.narrow(2, first, total - first)));
            }
        },
        iter: 200, threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(50)]
    public void Append_ThousandsOfTokensWithAWindow_TakesBoundedMemory(int window)
    {
        using var scope = NewDisposeScope();
        using var cache = new LayerCache(window);
        var random = new Random(3);
        long largest = 0;
        for (int total = 0; total < 5000;)
        {
            int chunk = random.Next(10) == 0 ? random.Next(1, 2 * window) : 1;
            cache.Append(Tokens(1, chunk), Tokens(1, chunk));
            total += chunk;
            largest = Math.Max(largest, cache.ByteCount);
        }

        // Room for twice the tokens in reach and those of a chunk that is smaller than the window.
        Assert.InRange(largest, BytesPerToken, BytesPerToken * Math.Max(64, 4 * window));
    }

    [Fact]
    public void Append_TokenByTokenWithoutAWindow_EnlargesTheBuffersSeldom()
    {
        using var scope = NewDisposeScope();
        using var cache = new LayerCache(null);
        var sizes = new HashSet<long>();
        for (int total = 1; total <= 3000; total++)
        {
            cache.Append(Tokens(1, 1), Tokens(1, 1));
            sizes.Add(cache.ByteCount);
            Assert.InRange(cache.ByteCount, BytesPerToken * total, BytesPerToken * Math.Max(64, 2 * total));
        }

        Assert.InRange(sizes.Count, 1, 7); // 64 tokens, doubled until 3000 fit.
    }

    [Fact]
    public void KeepRows_AnyWindow_GivesThoseSequencesInTheOrderGiven() => s_runs.Sample(
        (window, chunks) =>
        {
            using var scope = NewDisposeScope();
            using var cache = new LayerCache(window);
            long total = chunks.Sum();
            Tensor all = Tokens(3, total + 2);
            long done = 0;
            foreach (int chunk in chunks)
            {
                cache.Append(all.narrow(2, done, chunk), all.narrow(2, done, chunk).neg());
                done += chunk;
            }

            cache.KeepRows([2, 0]);
            Tensor kept = all.index_select(0, tensor(new long[] { 2, 0 }));
            (Tensor keys, Tensor values, long first) =
                cache.Append(kept.narrow(2, total, 2), kept.narrow(2, total, 2).neg());

            Assert.True(keys.Equals(kept.narrow(2, first, total + 2 - first)));
            Assert.True(values.Equals(kept.narrow(2, first, total + 2 - first).neg()));
        },
        iter: 50, threads: 1);

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(3)]
    public void Append_BatchOfAnotherSize_ThrowsAndChangesNothing(int? window)
    {
        using var scope = NewDisposeScope();
        using var cache = new LayerCache(window);
        Tensor all = Tokens(2, 6);
        cache.Append(all.narrow(2, 0, 5), all.narrow(2, 0, 5));

        ArgumentException error =
            Assert.Throws<ArgumentException>(() => cache.Append(Tokens(3, 1), Tokens(3, 1)));

        Assert.Contains("batch of 2 sequences; the input has 3", error.Message, StringComparison.Ordinal);
        (Tensor keys, _, long first) = cache.Append(all.narrow(2, 5, 1), all.narrow(2, 5, 1));
        Assert.True(keys.Equals(all.narrow(2, first, 6 - first)));
    }

    [Fact]
    public void AppendKeepTruncateAndDispose_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        foreach (int? window in s_windows)
        {
            using var cache = new LayerCache(window);
            for (int chunk = 1; chunk < 40; chunk++)
            {
                using Tensor tokens = zeros(2, Heads, chunk % 9 + 1, Features);
                (Tensor keys, Tensor values, _) = cache.Append(tokens, tokens);
                keys.Dispose();
                values.Dispose();
            }

            cache.KeepRows([1]);
            cache.KeepRows([0]);
            cache.Dispose();
            Assert.Equal(0, cache.ByteCount);
        }
    });

    /// <summary>Tokens whose numbers are all different.</summary>
    private static Tensor Tokens(int batch, long count) =>
        TensorArithmetic.Range(batch * Heads * count * Features, float32).view(batch, Heads, count, Features);
}
