namespace SparseExpansion.Expansion;

/// <summary>How the work of an input group is divided, as far as that can be told beforehand: for progress, not for planning.</summary>
internal static class GroupShares
{
    /// <summary>Trials of a router prune rows of every expert again and again, and take about as long as the experts themselves.</summary>
    private const double RefinementShare = 0.5;

    private const double TrainingShare = 0.1;

    /// <summary>Share of the group that is done when a share of the refinement of its router is.</summary>
    public static double Refined(ExpansionPlan plan, double share) => TrainingShare + (share * (Routed(plan) - TrainingShare));

    /// <summary>Share of the group that is done when its router is.</summary>
    public static double Routed(ExpansionPlan plan) => plan.Refinement is null ? TrainingShare : TrainingShare + RefinementShare;

    /// <summary>Share of the group that is done when a share of its experts is.</summary>
    public static double Pruned(ExpansionPlan plan, double share) => Routed(plan) + (share * (1 - Routed(plan)));
}
