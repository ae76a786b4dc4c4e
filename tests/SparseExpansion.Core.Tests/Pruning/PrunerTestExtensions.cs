using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Pruners and their results, asked in fewer words.</summary>
internal static class PrunerTestExtensions
{
    /// <summary>Prunes all experts to the same target.</summary>
    public static IReadOnlyList<PruningResult> PruneExperts(
        this ISparsifier pruner, Tensor weight, IReadOnlyList<IActivationStatistic> statistics, SparsityTarget target, CancellationToken cancellationToken = default) =>
        pruner.PruneExperts(weight, statistics, [.. statistics.Select(_ => target)], cancellationToken);

    /// <summary>The only diagnostic of a kind; null where there is none.</summary>
    public static T? Find<T>(this PruningResult result)
        where T : PruningDiagnostic => result.Diagnostics.OfType<T>().SingleOrDefault();
}
