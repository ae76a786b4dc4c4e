namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// Shares of the parts of the work on an input group, as far as that can be told beforehand: for progress, not for
/// planning.
/// </summary>
internal static class GroupShares
{
    private const double TrainingShare = 0.1;

    /// <summary>Share of the group that is done when a share of a step's work on its router is.</summary>
    public static double Routing(IReadOnlyList<IExpansionStep> steps, IExpansionStep step, double share) =>
        TrainingShare + steps.TakeWhile(other => other != step).Sum(other => other.ShareOfGroup)
            + (share * step.ShareOfGroup);

    /// <summary>Share of the group that is done when its router is.</summary>
    public static double Routed(IReadOnlyList<IExpansionStep> steps) =>
        TrainingShare + steps.Sum(step => step.ShareOfGroup);

    /// <summary>Share of the group that is done when a share of its experts is.</summary>
    public static double Pruned(IReadOnlyList<IExpansionStep> steps, double share) =>
        Routed(steps) + (share * (1 - Routed(steps)));
}
