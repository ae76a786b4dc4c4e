using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Base of pruners: checks weight, statistic and target once, keeps autograd and temporaries out, measures the result.
/// A pruner adds <see cref="CreateStatistic"/> and <see cref="PruneCore"/>.
/// </summary>
/// <typeparam name="TStatistic">What the pruner must know about a layer's inputs.</typeparam>
public abstract class Sparsifier<TStatistic> : ISparsifier
    where TStatistic : class, IActivationStatistic
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>Creates the empty statistic of a layer's inputs.</summary>
    public abstract TStatistic CreateStatistic(LayerDescriptor layer);

    IActivationStatistic ISparsifier.CreateStatistic(LayerDescriptor layer) => CreateStatistic(layer);

    /// <inheritdoc/>
    public PruningResult Prune(
        Tensor weight, IActivationStatistic statistic, SparsityTarget target, CancellationToken cancellationToken = default)
    {
        TStatistic typed = PruningGuard.Check<TStatistic>(Name, weight, statistic, target);
        cancellationToken.ThrowIfCancellationRequested();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using Tensor source = weight.detach();
        PrunedWeight pruned = PruneCore(source, typed, target, cancellationToken);
        return PruningResult.Measure(source, pruned, typed);
    }

    /// <summary>Does the work on checked arguments, inside <c>no_grad</c> and a dispose scope of its own.</summary>
    /// <param name="weight">[out_features, in_features], finite, floating dtype. Not to be changed.</param>
    /// <param name="statistic">The statistic of the inputs.</param>
    /// <param name="target">How many weights go; it divides the columns.</param>
    /// <param name="cancellationToken">To be observed between units of work.</param>
    /// <returns>The pruned weight, and whatever the algorithm reports about itself.</returns>
    protected abstract PrunedWeight PruneCore(Tensor weight, TStatistic statistic, SparsityTarget target, CancellationToken cancellationToken);
}
