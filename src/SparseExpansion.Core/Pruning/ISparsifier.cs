using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// A one-shot pruner: weight and input statistic in, pruned weight out. Implementations hold options only and may be
/// used from several threads. Derive from <see cref="Sparsifier{TStatistic}"/> to write one.
/// </summary>
public interface ISparsifier
{
    /// <summary>Short name for reports, for example <c>sparsegpt</c>.</summary>
    string Name { get; }

    /// <summary>Creates the empty statistic of a layer's inputs that <see cref="Prune"/> wants.</summary>
    IActivationStatistic CreateStatistic(LayerDescriptor layer);

    /// <summary>Prunes one weight for the inputs summarised by <paramref name="statistic"/>. The weight itself is not changed.</summary>
    /// <param name="weight">[out_features, in_features], floating dtype; the work is done on its device.</param>
    /// <param name="statistic">A statistic made by <see cref="CreateStatistic"/>.</param>
    /// <param name="target">How many weights go.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The pruned weight, in dtype and on device of <paramref name="weight"/>; the caller disposes it.</returns>
    /// <exception cref="PruningException">Non-finite values, or columns that the target does not divide.</exception>
    PruningResult Prune(Tensor weight, IActivationStatistic statistic, SparsityTarget target, CancellationToken cancellationToken = default);

    /// <summary>
    /// Prunes one weight once per statistic: the experts of a layer. The default prunes one after the other; pruners that
    /// can share work between experts override it.
    /// </summary>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">One statistic an expert.</param>
    /// <param name="target">How many weights go, in every expert.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>One result for each statistic, in order; the caller disposes them.</returns>
    IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, SparsityTarget target, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        return ExpertSeries.Run(statistics.Count, expert => Prune(weight, statistics[expert], target, cancellationToken));
    }

    /// <summary>
    /// Prunes one weight once per statistic, each to its own target. The default prunes experts of equal target together.
    /// </summary>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">One statistic an expert.</param>
    /// <param name="targets">How many weights go, one for each expert.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>One result for each statistic, in order; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">There are not as many targets as statistics.</exception>
    IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets, CancellationToken cancellationToken = default)
    {
        var results = new PruningResult?[statistics?.Count ?? 0];
        try
        {
            foreach ((SparsityTarget target, int[] experts) in PruningGuard.GroupByTarget(statistics, targets))
            {
                IReadOnlyList<PruningResult> pruned = Together(target, experts);
                for (int i = 0; i < experts.Length; i++)
                {
                    results[experts[i]] = pruned[i];
                }
            }

            return results!;
        }
        catch
        {
            Array.ForEach(results, result => result?.Dispose());
            throw;
        }

        IReadOnlyList<PruningResult> Together(SparsityTarget target, int[] experts)
        {
            try
            {
                return PruneExperts(weight, [.. experts.Select(e => statistics![e])], target, cancellationToken);
            }
            catch (Exception e) when (ErrorPlace.Translate(e, experts))
            {
                throw; // Not reached: the filter only says which expert it was.
            }
        }
    }
}
