using SparseExpansion.Expansion.Pipeline;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>Reports what became of a group's router.</summary>
internal sealed class RefinementReport(RouterRefinement report) : IGroupStep
{
    public void OnBuilt(LayerRun layer) => layer.Parts.Set(RefinementStep.PartName, report);

    public void Dispose()
    {
    }
}
