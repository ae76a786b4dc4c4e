using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Calls pruners. Those that derive from <see cref="Sparsifier{TStatistic}"/> are handed copies and checked there; of
/// the others, which can only pass on results of them, it is checked here that the results are those of this very
/// weight.
/// </summary>
internal static class PrunerCalls
{
    /// <summary>Prunes one weight.</summary>
    public static PruningResult Prune(
        ISparsifier sparsifier, Tensor weight, IActivationStatistic statistic, SparsityTarget target,
        CancellationToken cancellationToken)
    {
        PruningResult? result = Call(
            sparsifier, weight, [statistic], own => sparsifier.Prune(own, statistic, target, cancellationToken),
            pruned => pruned?.Dispose());
        try
        {
            return PrunerResults.Check(sparsifier, weight, result);
        }
        catch
        {
            result?.Dispose();
            throw;
        }
    }

    /// <summary>Prunes one weight once per statistic, always to the same target.</summary>
    public static IReadOnlyList<PruningResult> PruneExperts(
        ISparsifier sparsifier, Tensor weight, IReadOnlyList<IActivationStatistic> statistics, SparsityTarget target,
        CancellationToken cancellationToken) =>
        PruneExperts(
            sparsifier, weight, statistics, [.. Enumerable.Repeat(target, statistics.Count)], cancellationToken);

    /// <summary>Prunes one weight once per statistic, each to its own target.</summary>
    public static IReadOnlyList<PruningResult> PruneExperts(
        ISparsifier sparsifier, Tensor weight, IReadOnlyList<IActivationStatistic> statistics,
        IReadOnlyList<SparsityTarget> targets, CancellationToken cancellationToken) => PrunerResults.Check(
            sparsifier, weight, statistics.Count,
            Call(
                sparsifier, weight, statistics,
                own => sparsifier.PruneExperts(own, statistics, targets, cancellationToken), PrunerResults.Discard));

    /// <summary>
    /// Hands a pruner that does not look after itself a copy of the weight, and looks whether it writes to the
    /// statistics.
    /// </summary>
    private static T Call<T>(
        ISparsifier sparsifier, Tensor weight, IReadOnlyList<IActivationStatistic> statistics, Func<Tensor, T> prune,
        Action<T> discard)
    {
        if (sparsifier is IGuardedSparsifier)
        {
            return prune(weight);
        }

        using Tensor? own = CustomPart.Copy(sparsifier, weight);
        return PruningChecks.Unchanged(sparsifier, statistics, () => prune(own ?? weight), discard);
    }
}
