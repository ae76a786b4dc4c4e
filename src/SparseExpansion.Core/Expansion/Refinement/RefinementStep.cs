using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Routing;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>Lets the router of a group learn from the errors of its experts.</summary>
internal sealed record RefinementStep(RouterRefinementOptions Options) : IExpansionStep
{
    public const string PartName = "routerRefinement";

    public string SettingName => "refinement of the router";

    public string Setting => $"{Options}";

    public string? SettingWithout => "none";

    public (string Name, object? Value)? AbsentFromLayer => (PartName, null);

    /// <summary>
    /// Trials of a router prune rows of every expert again and again, and take about as long as the experts themselves.
    /// </summary>
    public double ShareOfGroup => 0.5;

    public void OnRouted(GroupRun group)
    {
        var refiner = new RouterRefiner(
            Options,
            group.Pruner,
            group.PriorTokens,
            (router, tokens) => group.Adjust(router, tokens).Router,
            group.Seed,
            share => group.Report(ExpansionStage.Routing, group.Name, GroupShares.Routing(group.Run.Request.Steps, this, share)),
            group.Run.CancellationToken);
        (IRouter? refined, RouterRefinement report) = LayerErrors.Named(group.Name, "refinement of the router", () => refiner.Refine(
            group.Router, [.. group.Slots.Select(GroupRun.WeightOf)],
            [.. group.Slots.Select(slot => group.Run.TargetOf(slot.Name))], group.Captured));
        if (refined is not null)
        {
            group.Exchange(LayerErrors.Named(group.Name, "router", () => group.Adjust(refined, group.Captured)));
        }

        group.Steps.Add(new RefinementReport(report));
    }

    public StepCost Cost(WorkSize size) => RefinementCost.Of(Options, size);

    public string? Describe(LayerReport layer) => layer is not { RouterRefinement: { } refinement, Experts: > 1 } ? null
        : refinement.Rounds == 0
            ? ReportText.Text($"trained router kept, none did better on held-out tokens than its error of {refinement.ErrorBefore:0.00000}")
            : ReportText.Text(
                $"router refined in {ReportText.Count(refinement.Rounds, "round")}, held-out error {refinement.ErrorBefore:0.00000} to {refinement.ErrorAfter:0.00000}");
}
