using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>
/// Dissolves experts that too few tokens go to, and lets the statistics of small ones lean on their group's.
/// </summary>
internal sealed record SmallExpertsStep(ExpertStatisticsOptions Options) : IExpansionStep
{
    public string SettingName => "expert statistics";

    public string Setting => $"{Options}";

    public string? SettingWithout => $"{new ExpertStatisticsOptions()}";

    public RoutedTokens AdjustRouter(GroupRun group, RoutedTokens routed, ITokenSource tokens) => Dissolution.Dissolve(
        routed, tokens, Options.MinimumTokens, group.Pruner.ChunkTokens, group.Pruner.Layer.Device,
        group.Run.CancellationToken);

    public void OnRouted(GroupRun group)
    {
        group.PriorTokens = LayerErrors.Named(group.Name, "pruner", () => ShrinkageChoice.Choose(
            Options.Shrinkage, group.Pruner, GroupRun.WeightOf(group.Slots[0]), group.Router, group.Captured,
            group.Run.CancellationToken));
        group.Steps.Add(new SmallExpertsReport(group));
    }

    /// <summary>A strength that is to be chosen prunes a group once for each of those that are tried.</summary>
    public StepCost Cost(WorkSize size) =>
        Options.Shrinkage.PriorTokens is null ? new StepCost { Trials = ShrinkageChoice.Trials } : StepCost.None;

    public string? Describe(LayerReport layer)
    {
        string[] remarks =
        [
            .. layer.DissolvedExperts > 0 ? [$"{ReportText.Count(layer.DissolvedExperts, "expert")} dissolved for want of tokens"] : Array.Empty<string>(),
            .. layer.PriorTokens > 0 ? [ReportText.Text($"statistics shrunk toward the layer's by {layer.PriorTokens:0.##} tokens")] : Array.Empty<string>(),
        ];
        return remarks.Length == 0 ? null : string.Join("; ", remarks);
    }
}
