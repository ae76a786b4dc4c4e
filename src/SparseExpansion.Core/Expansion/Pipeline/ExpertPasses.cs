using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Routing.Experts;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// Prunes experts a few at a time, so that memory holds the statistics of these only. Every pass streams the tokens
/// again; a pass before them sums up the whole group, in the order in which it would be summed in one go, so that the
/// experts come out the same.
/// </summary>
internal static class ExpertPasses
{
    /// <summary>Shows the statistics of all experts, some at a time.</summary>
    /// <param name="pruner">Makes the statistics.</param>
    /// <param name="tokens">The tokens by expert.</param>
    /// <param name="priorTokens">Strength of the shrinkage.</param>
    /// <param name="expertsAtOnce">Number of statistics that may exist at a time, besides that of the group.</param>
    /// <param name="visit">First expert, and the statistics from it on; valid during the call only.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens.</param>
    public static void Visit(
        ExpertPruner pruner, ExpertTokens tokens, double priorTokens, int expertsAtOnce,
        Action<int, ExpertStatistics> visit, CancellationToken cancellationToken)
    {
        if (expertsAtOnce >= tokens.ExpertCount)
        {
            using ExpertStatistics all = LayerErrors.Named(
                pruner.Layer.Name, "pruner", () => pruner.Gather(tokens, priorTokens, cancellationToken));
            visit(0, all);
            return;
        }

        using IActivationStatistic whole = LayerErrors.Named(pruner.Layer.Name, "pruner", pruner.CreateStatistic);
        for (int first = 0; first < tokens.ExpertCount; first += expertsAtOnce)
        {
            using ExpertStatistics some = Observe(first);
            Named(() => some.MergeInto(whole));
        }

        for (int first = 0; first < tokens.ExpertCount; first += expertsAtOnce)
        {
            using ExpertStatistics some = Observe(first);
            Named(() => some.Complete(whole, priorTokens), first);
            visit(first, some);
        }

        ExpertStatistics Observe(int first) => LayerErrors.Named(
            pruner.Layer.Name, "pruner", () => pruner.Observe(tokens, cancellationToken, first, Math.Min(expertsAtOnce, tokens.ExpertCount - first)), first);

        void Named(Action action, int first = 0) => LayerErrors.Named(pruner.Layer.Name, "pruner", action, first);
    }
}
