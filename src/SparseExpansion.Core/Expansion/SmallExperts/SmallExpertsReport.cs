using SparseExpansion.Expansion.Pipeline;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>Reports what became of a group's small experts, once no step exchanges the router any more.</summary>
internal sealed class SmallExpertsReport(GroupRun group) : IGroupStep
{
    public const string Dissolved = "dissolvedExperts";
    public const string Prior = "priorTokens";

    public void OnBuilt(LayerRun layer)
    {
        layer.Parts.Set(Dissolved, group.TrainedExperts - group.Assignment!.ExpertCount);
        layer.Parts.Set(Prior, group.PriorTokens);
    }

    public void Dispose()
    {
    }
}
