using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>
/// Finds how far experts should lean on their layer by what their outputs lose on tokens that they were not made from.
/// </summary>
internal static class ShrinkageChoice
{
    /// <summary>
    /// Strengths tried, in tokens for each input feature; the weaker one of equally good ones is taken.
    /// </summary>
    private static readonly double[] s_strengths = [0, 0.125, 0.5, 2, 8];

    /// <summary>Number of strengths that are tried.</summary>
    public static int Trials => s_strengths.Length;

    /// <summary>The strength for a group.</summary>
    /// <param name="shrinkage">The shrinkage that was asked for.</param>
    /// <param name="pruner">Prunes the trials.</param>
    /// <param name="weight">The group's first linear, [out_features, in_features].</param>
    /// <param name="router">The group's router.</param>
    /// <param name="tokens">The calibration tokens.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>s in tokens; 0: none.</returns>
    public static double Choose(
        Shrinkage shrinkage, ExpertPruner pruner, Tensor weight, IRouter router, ITokenSource tokens,
        CancellationToken cancellationToken)
    {
        if (shrinkage.PriorTokens == 0)
        {
            return 0;
        }

        bool canLean = CanLean(pruner);
        if (shrinkage.PriorTokens is { } given)
        {
            return given;
        }

        if (!canLean || router.ExpertCount == 1 || tokens.TokenCount < 2)
        {
            return 0;
        }

        using Tensor rows = ExpertPruner.RowsForTrial(weight);
        (TokenRange fitted, TokenRange heldOut) = TokenRange.Split(tokens, shrinkage.HeldOutShare);
        using ExpertStatistics observed = pruner.Observe(
            pruner.Divide(fitted, router, cancellationToken), cancellationToken);
        ExpertTokens unseen = pruner.Divide(heldOut, router, cancellationToken);
        return s_strengths.Select(strength => strength * tokens.Features).MinBy(prior =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            using ExpertStatistics shrunken = observed.Copy();
            shrunken.Complete(prior);
            IReadOnlyList<PruningResult> pruned = pruner.Prune(rows, shrunken, cancellationToken);
            try
            {
                return OutputErrorMeter.Measure(rows, pruned, unseen, cancellationToken).Total;
            }
            finally
            {
                pruned.DisposeAll();
            }
        });
    }

    /// <summary>False for pruners that look at no inputs, so that there is nothing to lean.</summary>
    private static bool CanLean(ExpertPruner pruner)
    {
        using IActivationStatistic probe = pruner.CreateStatistic();
        return (probe is RefitStatistic both ? both.Inner : probe) switch
        {
            IShrinkable => true,
            TokenCountStatistic => probe is IShrinkable,
            { } other => throw new PruningException(
                $"The {other.GetType().Name} of pruner '{pruner.Sparsifier.Name}' cannot lean on its layer, which {nameof(ExpertStatisticsOptions)}.{nameof(ExpertStatisticsOptions.Shrinkage)} asks for: "
                + $"implement {nameof(IShrinkable)}, or leave the shrinkage off."),
        };
    }
}
