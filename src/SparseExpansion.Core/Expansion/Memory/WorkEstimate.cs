using System.Diagnostics;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Memory;

/// <summary>Floating-point operations of the stages, and how many this machine does in a second.</summary>
internal static class WorkEstimate
{
    /// <summary>Share of a large product's speed that factorizations and column updates reach.</summary>
    public const double SmallProductEfficiency = 0.3;

    /// <summary>Operations a second of a float32 product on a device.</summary>
    public static double MeasureSpeed(Device device)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor left = ones(256, 1024, device: device), right = ones(1024, 1024, device: device);
        double best = double.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            long started = Stopwatch.GetTimestamp();
            using Tensor product = left.matmul(right);
            product[0, 0].item<float>(); // Waits for the device.
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return 2.0 * 256 * 1024 * 1024 / best;
    }

    /// <summary>Every input group runs its block up to the group.</summary>
    public static double Forward(WorkSize size) => size.Streams * size.Blocks.Select((block, b) => 2.0 * size.Tokens * size.Parameters(b) * (1 + WorkSize.Widths(block).Count())).Sum();

    public static double Propagation(WorkSize size) => size.HiddenStreams * Enumerable.Range(0, size.Blocks.Count - 1)
        .Sum(block => 2.0 * size.Tokens * size.Parameters(block));

    public static double Routing(WorkSize size) => size.Blocks.SelectMany(WorkSize.Widths)
        .Sum(width => size.Request.Trainer is ISizedRouterTrainer sized ? sized.WorkToFit(size.Tokens, width.Key) : 2.0 * size.Tokens * width.Key);

    public static double Pruning(WorkSize size, int streams) => size.Blocks.SelectMany(WorkSize.Widths).Sum(width =>
    {
        double pruning = width.Sum(
            slot => size.Experts * PrunerSize.Work(size.Request.Sparsifier!, WorkSize.Shape(slot).Out, width.Key));
        return size.Steps.Sum(step => step.PruningOperations(width))
            + (Math.Clamp(streams, 1, 2) * size.StatisticWork(width.Key)) + pruning;
    });

    /// <summary>Trials of the steps.</summary>
    public static double Trials(WorkSize size) =>
        (size.Steps.Sum(step => step.Trials) * Pruning(size, 1)) + size.Steps.Sum(step => step.TrialOperations);
}
