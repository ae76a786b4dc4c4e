using SparseExpansion.Routing;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Decides which expert every calibration token of a group goes to.</summary>
internal static class GroupRouting
{
    /// <summary>Trains the group's router and lets the steps work on it.</summary>
    public static void Route(GroupRun group)
    {
        ExpansionRun run = group.Run;
        group.Report(ExpansionStage.Routing, group.Name, 0);
        IRouter router = LayerErrors.Named(group.Name, "router", () => RouterCalls.Fit(
            run.Request.Trainer!, group.Captured,
            new RouterTrainingContext(group.Name, group.Pruner.Layer.Device, group.Seed), run.CancellationToken));
        LayerErrors.Named(group.Name, "router", () => group.Train(router));
        foreach (IExpansionStep step in run.Request.Steps)
        {
            step.OnRouted(group);
        }
    }
}
