using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Prunes the experts of a linear as the steps of its group want it.</summary>
internal static class ExpertMaking
{
    /// <param name="steps">The steps.</param>
    /// <param name="pruner">The pruner with the target of the linear.</param>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">One statistic for each expert that is wanted.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The experts in order; the caller disposes them.</returns>
    public static IReadOnlyList<PruningResult> Prune(
        IReadOnlyList<IGroupStep> steps, ExpertPruner pruner, Tensor weight, ExpertStatistics statistics,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<SparsityTarget> targets =
            steps.Select(step => step.Divide(pruner, weight, statistics, cancellationToken))
                .FirstOrDefault(divided => divided is not null)
            ?? [.. statistics.Experts.Select(_ => pruner.Target)];
        return !steps.Any(step => step.ChangesWeights)
            ? PrunerCalls.PruneExperts(pruner.Sparsifier, weight, statistics.Experts, targets, cancellationToken)
            : PruneOneByOne(pruner.Sparsifier, expert => WeightOf(steps, weight, expert), statistics.Experts, targets, cancellationToken);
    }

    /// <summary>Prunes experts from weights of their own.</summary>
    /// <param name="sparsifier">The pruner.</param>
    /// <param name="weightOf">Makes the weight of an expert, [out_features, in_features].</param>
    /// <param name="statistics">One statistic for each expert.</param>
    /// <param name="targets">Targets that say how many weights are pruned, one for each expert.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    public static IReadOnlyList<PruningResult> PruneOneByOne(
        ISparsifier sparsifier, Func<int, Tensor> weightOf, IReadOnlyList<IActivationStatistic> statistics,
        IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken) => ExpertSeries.Run(statistics.Count, expert =>
        {
            using Tensor own = weightOf(expert);
            return PrunerCalls.Prune(sparsifier, own, statistics[expert], targets[expert], cancellationToken);
        });

    /// <summary>The weight that an expert is pruned from.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="expert">Position among the experts whose statistics the steps have seen last.</param>
    /// <returns>The weight; the caller disposes it.</returns>
    public static Tensor WeightOf(IReadOnlyList<IGroupStep> steps, Tensor weight, int expert)
    {
        Tensor own = weight.alias();
        foreach (IGroupStep step in steps)
        {
            if (step.WeightOf(own, expert) is { } changed)
            {
                own.Dispose();
                own = changed;
            }
        }

        return own;
    }
}
