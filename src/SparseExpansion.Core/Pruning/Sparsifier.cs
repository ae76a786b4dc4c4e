using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Base of pruners: checks weight, statistic and target once, keeps autograd and temporaries out, measures the result.
/// A pruner adds <see cref="CreateStatistic"/> and <see cref="PruneCore"/>.
/// </summary>
/// <typeparam name="TStatistic">Knowledge of a layer's inputs that the pruner needs.</typeparam>
public abstract class Sparsifier<TStatistic> : ISparsifier, IGuardedSparsifier
    where TStatistic : class, IActivationStatistic
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>Creates the empty statistic of a layer's inputs.</summary>
    public abstract TStatistic CreateStatistic(LayerDescriptor layer);

    IActivationStatistic ISparsifier.CreateStatistic(LayerDescriptor layer) => CreateStatistic(layer);

    /// <inheritdoc/>
    public PruningResult Prune(
        Tensor weight, IActivationStatistic statistic, SparsityTarget target,
        CancellationToken cancellationToken = default)
    {
        TStatistic typed = PruningGuard.CheckStatistic<TStatistic>(Name, statistic);
        PruningGuard.CheckWeight(Name, weight, target);
        cancellationToken.ThrowIfCancellationRequested();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using Tensor source = weight.detach();
        PrunedWeight pruned = Unchanged([typed], () => PruneCore(Hand(source), typed, target, cancellationToken));
        return PruningResult.Measure(source, pruned, typed, Description, target);
    }

    /// <inheritdoc/>
    public IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken = default)
    {
        foreach ((SparsityTarget target, _) in PruningGuard.GroupByTarget(statistics, targets))
        {
            PruningGuard.CheckWeight(Name, weight, target);
        }

        TStatistic[] typed =
            [.. statistics.Select(statistic => PruningGuard.CheckStatistic<TStatistic>(Name, statistic))];
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using Tensor source = weight.detach();
        return Measure(
            source, Unchanged(typed, () => PruneExpertsCore(Hand(source), typed, targets, cancellationToken)), typed,
            targets);
    }

    /// <summary>Does the work on checked arguments, inside <c>no_grad</c> and a dispose scope of its own.</summary>
    /// <param name="weight">[out_features, in_features], finite, floating dtype: a copy, which may be written to and
    /// returned.</param>
    /// <param name="statistic">The statistic of the inputs, which other linears of the group share. Not to be
    /// changed.</param>
    /// <param name="target">Share or pattern of the weights that go; it divides the columns.</param>
    /// <param name="cancellationToken">To be observed between units of work.</param>
    /// <returns>
    /// The pruned weight, and whatever the algorithm reports about itself. It is checked: finite values, the shape of
    /// <paramref name="weight"/>, and as many zeros as the target asks for (see
    /// <see cref="PrunedWeight.MayKeepMore"/>).
    /// </returns>
    protected abstract PrunedWeight PruneCore(
        Tensor weight, TStatistic statistic, SparsityTarget target, CancellationToken cancellationToken);

    /// <summary>
    /// Does the work for all experts of a layer, each with its own target, under the conditions of
    /// <see cref="PruneCore"/>. By default one after the other; override it where experts can share work.
    /// </summary>
    /// <param name="weight">[out_features, in_features], the same for all experts: a copy of the model's.</param>
    /// <param name="statistics">One statistic an expert. Not to be changed.</param>
    /// <param name="targets">Shares or patterns of the weights that go, one for each expert.</param>
    /// <param name="cancellationToken">To be observed between units of work.</param>
    /// <returns>One pruned weight for each statistic, in order, none sharing memory with another.</returns>
    protected virtual IReadOnlyList<PrunedWeight> PruneExpertsCore(
        Tensor weight, IReadOnlyList<TStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken)
    {
        var pruned = new List<PrunedWeight>(statistics.Count);
        while (pruned.Count < statistics.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            PrunedWeight expert = PruneOne(
                Hand(weight), weight, statistics[pruned.Count], targets[pruned.Count], pruned.Count, cancellationToken);
            if (!ReferenceEquals(expert.Weight, weight))
            {
                expert.Weight.MoveToOuterDisposeScope();
            }

            pruned.Add(expert);
        }

        return pruned;
    }

    private PrunedWeight PruneOne(
        Tensor handed, Tensor weight, TStatistic statistic, SparsityTarget target, int expert,
        CancellationToken cancellationToken)
    {
        try
        {
            return PruningChecks.CheckForm(
                Description, weight, PruneCore(handed, statistic, target, cancellationToken));
        }
        catch (Exception e) when (ErrorPlace.Note(e, expert))
        {
            throw; // Not reached: the filter only says which expert it was.
        }
    }

    /// <summary>
    /// The weights that go when those of the lowest scores do: exactly as many as the target says, ties by lowest
    /// index.
    /// </summary>
    /// <param name="scores">[out_features, in_features], finite, at least 0.</param>
    /// <param name="target">Share or pattern of the weights that go.</param>
    /// <param name="defaultScope">The set in which weights compete where the target leaves it to the pruner.</param>
    /// <returns>bool [out_features, in_features], true where a weight goes.</returns>
    protected static Tensor LowestScores(Tensor scores, SparsityTarget target, SparsityScope defaultScope)
    {
        ArgumentNullException.ThrowIfNull(scores);
        using var scope = NewDisposeScope();
        Tensor exact = scores.to(ScalarType.Float32).contiguous();
        if (!exact.ge(Scalars.Of(0)).all().item<bool>())
        {
            throw new ArgumentException("Scores must be numbers of at least 0.", nameof(scores));
        }

        return MaskSelection.Select(exact, target, defaultScope).MoveToOuterDisposeScope();
    }

    private string Description => CustomPart.Describe(Name, this);

    /// <summary>
    /// The weight for a pruner to read. A custom one gets a copy: it may work in place, and the dense model must not
    /// change.
    /// </summary>
    private Tensor Hand(Tensor weight) => CustomPart.Is(this) ? weight.clone() : weight;

    /// <inheritdoc cref="PruningChecks.Unchanged{T}"/>
    private T Unchanged<T>(TStatistic[] statistics, Func<T> prune) => PruningChecks.Unchanged(this, statistics, prune);

    private IReadOnlyList<PruningResult> Measure(
        Tensor source, IReadOnlyList<PrunedWeight>? pruned, TStatistic[] statistics,
        IReadOnlyList<SparsityTarget> targets)
    {
        if (pruned?.Count != statistics.Length)
        {
            throw new PruningException(
                $"Pruner {Description} returned {(pruned is null ? "null" : $"{pruned.Count} weights")} for "
                + $"{statistics.Length} experts.");
        }

        using Tensor? gram = PruningResult.Gram(source, statistics);
        return ExpertSeries.Run(
            statistics.Length,
            i => PruningResult.Measure(source, pruned[i], statistics[i], Description, targets[i], gram));
    }
}
