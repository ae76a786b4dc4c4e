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
/// <remarks>
/// Override <see cref="object.ToString"/> so that it names the options: it goes into manifests, and another run resumes
/// with stored blocks only where it is the same. A pruner that tells its size and time (<see cref="ISizedSparsifier"/>)
/// is planned for as it is; one that may round weights says so by <see cref="IRoundingSparsifier"/>.
/// </remarks>
public interface ISparsifier
{
    /// <summary>Short name for reports, for example <c>sparsegpt</c>.</summary>
    string Name { get; }

    /// <summary>Creates the empty statistic of a layer's inputs that <see cref="Prune"/> wants.</summary>
    IActivationStatistic CreateStatistic(LayerDescriptor layer);

    /// <summary>
    /// Prunes one weight for the inputs summarized by <paramref name="statistic"/>. The weight itself is not changed.
    /// </summary>
    /// <param name="weight">[out_features, in_features], floating dtype; the work is done on its device.</param>
    /// <param name="statistic">A statistic made by <see cref="CreateStatistic"/>.</param>
    /// <param name="target">Share or pattern of the weights that go.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The pruned weight, in dtype and on device of
    /// <paramref name="weight"/>; the caller disposes it.</returns>
    /// <exception cref="PruningException">Non-finite values, or columns that the target does not divide.</exception>
    PruningResult Prune(
        Tensor weight, IActivationStatistic statistic, SparsityTarget target,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Prunes one weight once per statistic, each to its own target: the experts of a layer. The default prunes one
    /// after the other; pruners that can share work between experts override it.
    /// </summary>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">One statistic an expert.</param>
    /// <param name="targets">Shares or patterns of the weights that go, one for each expert.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>One result for each statistic, in order; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">There are not as many targets as statistics.</exception>
    IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken = default)
    {
        PruningGuard.CheckTargets(statistics, targets);
        return ExpertSeries.Run(
            statistics.Count, expert => Prune(weight, statistics[expert], targets[expert], cancellationToken));
    }
}
