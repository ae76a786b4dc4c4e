using CsCheck;
using SparseExpansion.Models;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class KeyValueCacheTests
{
    private static readonly int?[] s_windows = [null, 1, 2, 3, 7];

    /// <summary>A positive number appends so many tokens, a negative one forgets as many.</summary>
    private static readonly Gen<int[]> s_steps =
        Gen.Frequency((4, Gen.Int[1, 4]), (1, Gen.Int[5, 40]), (3, Gen.Int[-9, -1]), (1, Gen.Int[-80, -10])).Array[1, 30];

    [Fact]
    public void Truncate_BackAndOn_IsAsIfItHadNeverGoneOn() => Gen.Select(Gen.Bool, s_steps).Sample(
        (hasWindows, steps) =>
        {
            using var scope = NewDisposeScope();
            int?[] windows = hasWindows ? s_windows : [null, null];
            using KeyValueCache cache = Make(windows);
            List<float> tokens = [];
            float next = 0;
            foreach (int step in steps)
            {
                if (step < 0)
                {
                    TryTruncate(cache, tokens, Math.Max(0, tokens.Count + step), canFail: hasWindows);
                    continue;
                }

                float[] added = [.. Enumerable.Range(0, step).Select(_ => next++)];
                tokens.AddRange(added);
                AssertAppended(cache, windows, tokens, added);
            }
        },
        iter: 300, threads: 1);

    [Fact]
    public void Truncate_TokensInReachAreGone_ThrowsAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        int?[] windows = [null, 3];
        using KeyValueCache cache = Make(windows);
        List<float> tokens = [0, 1, 2, 3, 4, 5, 6, 7];
        AssertAppended(cache, windows, tokens, [.. tokens]);

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => cache.Truncate(7));

        Assert.Contains("the 3 tokens of its window only", error.Message, StringComparison.Ordinal);
        Assert.Contains("from 8 tokens to 7", error.Message, StringComparison.Ordinal);
        Assert.Equal(8, cache.Length);
        tokens.Add(8);
        AssertAppended(cache, windows, tokens, [8]);
    }

    [Fact]
    public void Truncate_NothingIsInReach_IsAlwaysPossible()
    {
        using var scope = NewDisposeScope();
        foreach ((int window, int length) in new[] { (1, 5), (1, 0), (3, 0), (3, 9) })
        {
            int?[] windows = [window];
            using KeyValueCache cache = Make(windows);
            List<float> tokens = [0, 1, 2, 3, 4, 5, 6, 7, 8];
            AssertAppended(cache, windows, tokens, [.. tokens]);

            cache.Truncate(length);

            Assert.Equal(length, cache.Length);
            tokens = [.. tokens.Take(length), 20, 21];
            AssertAppended(cache, windows, tokens, [20, 21]);
        }
    }

    [Fact]
    public void Truncate_LengthOutOfRange_Throws()
    {
        using var scope = NewDisposeScope();
        using KeyValueCache cache = Make([null]);
        AssertAppended(cache, [null], [0, 1], [0, 1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(3));
    }

    [Fact]
    public void ByteCount_EveryLayerHasAWindow_StaysBoundedWhileTokensPass()
    {
        using var scope = NewDisposeScope();
        using KeyValueCache windowed = Make([7, 40]);
        using KeyValueCache full = Make([null, null]);
        Assert.Equal(0, full.ByteCount);
        long largest = 0;
        for (int token = 0; token < 4000; token++)
        {
            Append(windowed, 2, [token]);
            Append(full, 2, [token]);
            largest = Math.Max(largest, windowed.ByteCount);
        }

        // Keys and values of one float32 each: 64 tokens are the least room, twice the window else.
        Assert.InRange(largest, 1, 2 * sizeof(float) * (64 + 80));
        Assert.InRange(full.ByteCount, 2 * 2 * sizeof(float) * 4000, 2 * 2 * sizeof(float) * 8000);
    }

    [Fact]
    public void KeepRows_WithPadding_KeepsThatOfTheRows()
    {
        using var scope = NewDisposeScope();
        var cache = new KeyValueCache(Config([null]), [4, 0, 2]);
        cache.KeepRows([2, 1]);
        Assert.Equal([2L, 0L], cache.Padding!.data<long>());
        Assert.Equal([2L, 0L], cache.PaddingCounts!);
        cache.Dispose();
        Assert.Null(cache.Padding);
    }

    [Fact]
    public void AppendTruncateAndDispose_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        using KeyValueCache cache = Make([null, 5]);
        for (int token = 0; token < 100; token++)
        {
            Append(cache, 2, [token]);
        }

        cache.KeepRows([0]);
        cache.Truncate(100);
        cache.Dispose();
        Assert.Equal((0, 0), (cache.Length, cache.ByteCount));
    });

    private static void TryTruncate(KeyValueCache cache, List<float> tokens, int length, bool canFail)
    {
        try
        {
            cache.Truncate(length);
            tokens.RemoveRange(length, tokens.Count - length);
        }
        catch (InvalidOperationException) when (canFail && length > 0)
        {
            // Forbidden by a window: the cache goes on as if nobody had asked.
        }

        Assert.Equal(tokens.Count, cache.Length);
    }

    private static void AssertAppended(KeyValueCache cache, int?[] windows, List<float> tokens, float[] added)
    {
        (float[] Keys, float[] Values, long First)[] layers = Append(cache, windows.Length, added);
        for (int layer = 0; layer < windows.Length; layer++)
        {
            int before = tokens.Count - added.Length;
            int first = windows[layer] is { } window ? Math.Max(0, before - (window - 1)) : 0;
            Assert.Equal(first, layers[layer].First);
            Assert.Equal(tokens.Skip(first).Select(token => token + layer), layers[layer].Keys);
            Assert.Equal(tokens.Skip(first).Select(token => -token - layer), layers[layer].Values);
        }

        Assert.Equal(tokens.Count, cache.Length);
    }

    /// <summary>Stores tokens in all layers, as a model does; each layer adds its number.</summary>
    private static (float[] Keys, float[] Values, long First)[] Append(KeyValueCache cache, int layers, float[] added)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = tensor(added).view(1, 1, -1, 1);
        (float[] Keys, float[] Values, long First)[] result = [.. Enumerable.Range(0, layers).Select(layer =>
        {
            Tensor own = tokens.Plus(layer);
            (Tensor keys, Tensor values, long first) = cache.Append(layer, own, own.neg());
            return (keys.contiguous().data<float>().ToArray(), values.contiguous().data<float>().ToArray(), first);
        })];
        cache.Advance(added.Length);
        return result;
    }

    private static KeyValueCache Make(int?[] windows) => new(Config(windows));

    private static ModelConfig Config(int?[] windows) => new()
    {
        ModelType = "llama",
        VocabularySize = 8,
        HiddenSize = 4,
        IntermediateSize = 4,
        HeadCount = 1,
        KeyValueHeadCount = 1,
        HeadDimension = 4,
        MaxPositions = 100,
        Layers = [.. windows.Select(window => new LayerOptions { Window = window })],
    };
}
