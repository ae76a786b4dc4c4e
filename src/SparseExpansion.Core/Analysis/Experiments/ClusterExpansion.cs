using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>Makes the router and the experts of one point of a <see cref="ClusterSweep"/>.</summary>
internal static class ClusterExpansion
{
    /// <summary>The router; the caller disposes it.</summary>
    public static IRouter Fit(
        DenseLinear layer, ITokenSource calibration, long seed, IRouterTrainer trainer,
        CancellationToken cancellationToken) =>
        RouterCalls.Fit(
            trainer, calibration, new RouterTrainingContext(layer.Name, layer.Weight.device, seed), cancellationToken);

    /// <summary>The experts; the caller disposes them.</summary>
    public static IReadOnlyList<PruningResult> Prune(
        DenseLinear layer, ExpertTokens experts, ISparsifier sparsifier, SparsityTarget target,
        CancellationToken cancellationToken)
    {
        using ExpertStatistics statistics = ExpertStatistics.Gather(
            () => PruningChecks.CreateStatistic(sparsifier, layer.Describe()), experts, cancellationToken);
        return PrunerCalls.PruneExperts(sparsifier, layer.Weight, statistics.Experts, target, cancellationToken);
    }
}
