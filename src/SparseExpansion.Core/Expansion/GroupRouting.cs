using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Decides which expert every calibration token of a group goes to, and how experts with few of them are helped.</summary>
/// <param name="plan">What to do.</param>
/// <param name="report">Told of every step: stage, layers, share of the group that is done.</param>
/// <param name="cancellationToken">Observed between steps.</param>
internal sealed class GroupRouting(ExpansionPlan plan, Action<ExpansionStage, string, double> report, CancellationToken cancellationToken)
{
    /// <summary>Trains the group's router, dissolves small experts and chooses the strength of the shrinkage.</summary>
    /// <param name="slots">The places of the group's linears.</param>
    /// <param name="tokens">The group's inputs.</param>
    /// <param name="dense">What the dense model hands the group in their place; null where nothing is to be compensated for.</param>
    /// <param name="seed">Seed of the group.</param>
    public RoutedGroup Route(IReadOnlyList<ModuleSlot> slots, ITokenSource tokens, ITokenSource? dense, long seed)
    {
        LayerDescriptor first = UnitPlanner.Describe(slots[0]);
        string group = string.Join(", ", slots.Select(slot => slot.Name));
        report(ExpansionStage.Routing, group, 0);
        IRouter router = LayerErrors.Named(
            group, "router", () => RouterCalls.Fit(plan.Trainer!, tokens, new RouterTrainingContext(group, first.Device, seed), cancellationToken));
        int trained = router.ExpertCount;
        ExpertStatisticsOptions options = plan.Options.ExpertStatistics;
        (router, RouterAssignment assignment) = LayerErrors.Named(group, "router", () => SmallExperts.Dissolve(
            router, tokens, options.MinimumTokens, plan.Options.ChunkTokens, first.Device, cancellationToken));
        try
        {
            var pruner = new ExpertPruner(plan.Sparsifier!, plan.TargetOf(slots[0].Name), first, plan.Options.ChunkTokens);
            double priorTokens = LayerErrors.Named(group, "pruner", () => ShrinkageChoice.Choose(
                options.Shrinkage, pruner, Weight(slots[0]), router, tokens, cancellationToken));
            RouterRefinement? refinement = null;
            if (plan.Refinement is not null)
            {
                (router, assignment, refinement) = Refine(slots, tokens, pruner, priorTokens, seed, router, assignment);
            }

            return new RoutedGroup(slots, router, pruner, pruner.Divide(tokens, assignment))
            {
                Pairs = dense is null ? null : pruner.Divide(new TokenPairs(tokens, dense), assignment),
                DissolvedExperts = trained - router.ExpertCount,
                PriorTokens = priorTokens,
                Refinement = refinement,
            };
        }
        catch
        {
            router.Dispose();
            throw;
        }
    }

    /// <summary>The better router of the two, and where it sends the tokens; disposes the other one.</summary>
    private (IRouter, RouterAssignment, RouterRefinement) Refine(
        IReadOnlyList<ModuleSlot> slots, ITokenSource tokens, ExpertPruner pruner, double priorTokens, long seed, IRouter router, RouterAssignment assignment)
    {
        string group = string.Join(", ", slots.Select(slot => slot.Name));
        var refiner = new RouterRefiner(
            plan.Refinement!, pruner, priorTokens, plan.Options.ExpertStatistics.MinimumTokens, seed, share => report(ExpansionStage.Routing, group, GroupShares.Refined(plan, share)), cancellationToken);
        (IRouter? refined, RouterRefinement result) = LayerErrors.Named(
            group, "refinement of the router", () => refiner.Refine(
                router, [.. slots.Select(Weight)], [.. slots.Select(slot => plan.TargetOf(slot.Name))], tokens));
        if (refined is null)
        {
            return (router, assignment, result);
        }

        (refined, assignment) = LayerErrors.Named(group, "router", () => SmallExperts.Dissolve(
            refined, tokens, plan.Options.ExpertStatistics.MinimumTokens, plan.Options.ChunkTokens, pruner.Layer.Device, cancellationToken));
        router.Dispose();
        return (refined, assignment, result);
    }

    private static Tensor Weight(ModuleSlot slot) => ((Linear)slot.Dense).weight!;
}
