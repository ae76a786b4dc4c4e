using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Many threads through one packed model. Takes two seconds; the environment variable SPARSE_EXPANSION_SOAK_SECONDS
/// makes it longer.
/// </summary>
public sealed class ConcurrencyTests
{
    private const int Threads = 8;
    private const int Width = 96;

    [Fact]
    public async Task Forward_EightThreads_GivesTheSameOutputsAndLeavesNothing()
    {
        var shared = new SharedRouter(new LinearRouter(randn(4, Width), zeros(4)));
        using SparseMixtureLayer gate = Create("gate", shared), up = Create("up", shared);
        Tensor[] inputs = [.. new[] { 1, 3, 17, 64 }.Select(tokens => randn(tokens, Width))];
        (Tensor Gate, Tensor Up)[] expected = [.. inputs.Select(input => (gate.call(input), up.call(input)))];
        TimeSpan duration = TimeSpan.FromSeconds(double.Parse(
            Environment.GetEnvironmentVariable("SPARSE_EXPANSION_SOAK_SECONDS") ?? "2", CultureInfo.InvariantCulture));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        int wrong = 0;

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(worker => Task.Factory.StartNew(
            () =>
            {
                long start = Stopwatch.GetTimestamp();
                for (int i = worker; Stopwatch.GetElapsedTime(start) < duration; i++)
                {
                    using var inner = NewDisposeScope();
                    int which = i % inputs.Length;
                    Tensor input = (i & 8) == 0 ? inputs[which] : inputs[which].clone(); // One object among threads, and one's own.
                    if (!TensorChecks.Equal(expected[which].Gate, gate.call(input)) || !TensorChecks.Equal(expected[which].Up, up.call(input)))
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
            },
            TaskCreationOptions.LongRunning)));

        Assert.Equal(0, wrong);
        // Thousands of passes may leave one waiting decision for each shared
        // input, and a little scratch for each thread.
        long alive = Tensor.TotalCount - before;
        Assert.True(alive <= inputs.Length + (2 * Threads), $"{alive} tensors were left alive.");
        Array.ForEach(inputs, input => input.Dispose());
        foreach ((Tensor left, Tensor right) in expected)
        {
            left.Dispose();
            right.Dispose();
        }
    }

    private static SparseMixtureLayer Create(string name, SharedRouter shared)
    {
        Tensor[] weights = [.. Enumerable.Range(0, 4).Select(_ => randn(Width, Width) * rand(Width, Width).gt(Scalars.Of(0.5)))];
        return new SparseMixtureLayer(name, shared, weights).Pack();
    }
}
