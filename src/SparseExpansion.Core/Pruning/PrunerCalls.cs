using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Internal.Torch;
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
            return Check(sparsifier, weight, result);
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
        IReadOnlyList<SparsityTarget> targets, CancellationToken cancellationToken) => Check(
            sparsifier, weight, statistics.Count,
            Call(
                sparsifier, weight, statistics,
                own => sparsifier.PruneExperts(own, statistics, targets, cancellationToken), Discard));

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

    private static IReadOnlyList<PruningResult> Check(
        ISparsifier sparsifier, Tensor weight, int experts, IReadOnlyList<PruningResult>? results)
    {
        if (results?.Count != experts)
        {
            Discard(results);
            throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned "
                + $"{(results is null ? "null" : $"{results.Count} results")} for {experts} experts.");
        }

        int checkedResults = 0;
        try
        {
            for (; checkedResults < experts; checkedResults++)
            {
                Check(sparsifier, weight, results[checkedResults]);
            }

            return results;
        }
        catch (Exception e) when (ErrorPlace.Note(e, checkedResults))
        {
            throw; // Not reached: the filter only says which expert it was.
        }
        catch
        {
            Discard(results);
            throw;
        }
    }

    private static void Discard(IReadOnlyList<PruningResult>? results) =>
        results?.Where(result => result is not null).DisposeAll();

    private static PruningResult Check(ISparsifier sparsifier, Tensor weight, PruningResult? result)
    {
        if (result is null)
        {
            throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned null in place of a result.");
        }

        Tensor pruned = result.Weight;
        return !pruned.IsInvalid && pruned.dtype == weight.dtype && pruned.shape.SequenceEqual(weight.shape)
            && Placement.Same(pruned.device, weight.device)
            ? result
            : throw new PruningException(
                $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} returned "
                + (pruned.IsInvalid ? "a result that is disposed" : $"{pruned.dtype} [{string.Join(", ", pruned.shape)}] on {pruned.device}")
                + $" for a weight {weight.dtype} [{string.Join(", ", weight.shape)}] on {weight.device}.");
    }
}
