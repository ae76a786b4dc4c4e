using System.Diagnostics;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Floating-point operations of the stages, and how many this machine does in a second.</summary>
internal static class WorkEstimate
{
    /// <summary>Share of a large product's speed that factorisations and column updates reach.</summary>
    private const double PrunerEfficiency = 0.3;

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

    /// <summary>Every input group runs its unit up to the group.</summary>
    public static double Forward(WorkSize size) => size.Streams * size.Units.Select((unit, u) => 2.0 * size.Tokens * size.Parameters(u) * (1 + WorkSize.Widths(unit).Count())).Sum();

    public static double Propagation(WorkSize size) => size.HiddenStreams * Enumerable.Range(0, size.Units.Count - 1).Sum(u => 2.0 * size.Tokens * size.Parameters(u));

    public static double Routing(WorkSize size) => size.Units.SelectMany(WorkSize.Widths)
        .Sum(width => size.Plan.Trainer is ISizedRouterTrainer sized ? sized.WorkToFit(size.Tokens, width.Key) : 2.0 * size.Tokens * width.Key);

    public static double Pruning(WorkSize size, int streams) => size.Units.SelectMany(WorkSize.Widths).Sum(width =>
    {
        double d = width.Key;
        double compensation = size.Compensates
            ? (4.0 * size.Tokens * d * d) + (size.Experts * ((7.0 / 3 * d * d * d) + width.Sum(slot => 2 * d * d * WorkSize.Shape(slot).Out)))
            : 0;
        if (size.Plan.Sparsifier is WandaSparsifier or MagnitudeSparsifier)
        {
            return compensation + (2.0 * size.Tokens * d * streams) + width.Sum(slot => 50.0 * size.Experts * d * WorkSize.Shape(slot).Out);
        }

        // Statistics; then for every linear and expert a factorisation, an inverse, and the updates of later columns.
        double statistics = 2.0 * size.Tokens * d * d * Math.Max(1, streams > 1 ? 2 : 1);
        double solving = PrunerSize.RelativeTime(size.Plan.Sparsifier!) / PrunerEfficiency;
        return compensation + statistics + (solving * width.Sum(slot => size.Experts * ((4.0 / 3 * d * d * d) + (d * d * WorkSize.Shape(slot).Out))));
    });

    /// <summary>Every strength of a shrinkage and every round of a refinement prunes; a round also measures each token at each expert and fits a router.</summary>
    public static double Trials(WorkSize size)
    {
        double pruning = Pruning(size, 1);
        double shrinkage = size.Plan.Options.ExpertStatistics.Shrinkage.PriorTokens is null ? ShrinkageChoice.Trials * pruning : 0;
        return size.Plan.Refinement is { } refinement
            ? shrinkage + (refinement.Rounds * (pruning + size.Units.SelectMany(WorkSize.Widths).Sum(width => Refit(size, refinement, width))))
            : shrinkage;
    }

    private static double Refit(WorkSize size, RouterRefinementOptions refinement, IGrouping<long, ModuleSlot> width)
    {
        double tokens = Math.Min(refinement.FitTokens, size.Tokens), rows = width.Sum(slot => Math.Min(refinement.Rows, WorkSize.Shape(slot).Out));
        double costs = 2 * Math.Min(width.Key, rows), fitting = 4 * refinement.Epochs / PrunerEfficiency;
        return size.Experts * tokens * width.Key * (costs + fitting);
    }
}
