using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Allocation;

/// <summary>Divides the weights of one linear among its experts.</summary>
internal static class ExpertAllocation
{
    /// <summary>The target of every expert.</summary>
    /// <param name="pruner">Prunes the trials; its target is that of the linear.</param>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">The statistics of the experts.</param>
    /// <param name="tokens">The calibration tokens by expert.</param>
    /// <param name="maxDeviation">Largest distance from the linear's sparsity.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    public static IReadOnlyList<SparsityTarget> Divide(
        ExpertPruner pruner, Tensor weight, ExpertStatistics statistics, ExpertTokens tokens, double maxDeviation,
        CancellationToken cancellationToken)
    {
        var target = (UnstructuredTarget)pruner.Target;
        long[] counts = [.. Enumerable.Range(0, tokens.ExpertCount).Select(tokens.Count)];
        int[] seen = [.. Enumerable.Range(0, counts.Length).Where(e => counts[e] > 0)];
        if (seen.Length < 2)
        {
            return [.. counts.Select(_ => target)];
        }

        double[] grid = WeightBudget.Grid(target.Sparsity, maxDeviation);
        using Tensor rows = ExpertPruner.RowsForTrial(weight);
        double[][] errors = [.. grid.Select(sparsity =>
            Lost(pruner with { Target = SparsityTarget.Unstructured(sparsity, target.Scope) }, rows, statistics, tokens, cancellationToken))];
        double[] divided = WeightBudget.ByErrors(
            grid, [.. seen.Select(e => errors.Select(lost => lost[e]).ToArray())], [.. seen.Select(e => counts[e])],
            target.Sparsity);
        var sparsities = Enumerable.Repeat(target.Sparsity, counts.Length).ToArray();
        for (int i = 0; i < seen.Length; i++)
        {
            sparsities[seen[i]] = divided[i];
        }

        long size = weight.numel();
        return [.. WeightBudget.RoundExperts(sparsities, counts, size, target.Sparsity)
            .Select(kept => SparsityTarget.Exactly(size - kept, size, target.Scope))];
    }

    /// <summary>‖X(W − P)ᵀ‖² over the tokens of every expert, as shares of ‖XWᵀ‖² over all tokens.</summary>
    private static double[] Lost(
        ExpertPruner pruner, Tensor rows, ExpertStatistics statistics, ExpertTokens tokens,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<PruningResult> pruned = pruner.Prune(rows, statistics, cancellationToken);
        try
        {
            ExpertOutputErrors errors = OutputErrorMeter.Measure(rows, pruned, tokens, cancellationToken);
            double energy = errors.Energy.Sum();
            return [.. errors.Lost.Select(lost => energy > 0 ? lost / energy : 0)];
        }
        finally
        {
            pruned.DisposeAll();
        }
    }
}
