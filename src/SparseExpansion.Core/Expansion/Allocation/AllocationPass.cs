using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Expansion;

/// <summary>Passes through the dense model and divides the budget among its linears.</summary>
internal static class AllocationPass
{
    /// <returns>The target of every linear; null where all get the same.</returns>
    public static IReadOnlyDictionary<string, SparsityTarget>? Run(ExpansionPlan plan, IReadOnlyList<ExpansionUnit> units, CancellationToken cancellationToken)
    {
        if (!plan.Allocation.PerLinear)
        {
            return null;
        }

        var survey = new AllocationSurvey(plan, cancellationToken);
        IReadOnlyList<CalibrationBatch> hidden = units[0].IsBlock ? BlockEntry.Capture(plan, units[0].Calibration.Device, cancellationToken) : [];
        try
        {
            for (int u = 0; u < units.Count; u++)
            {
                Survey(plan, units[u], units[u].IsBlock ? hidden : plan.Batches, survey, cancellationToken);
                if (u + 1 < units.Count && units[u + 1].IsBlock)
                {
                    hidden = HiddenStates.Propagate(units[u].Calibration, hidden, plan.Memory, cancellationToken);
                }
            }
        }
        finally
        {
            HiddenStates.Dispose(hidden);
        }

        return survey.Divide();
    }

    private static void Survey(
        ExpansionPlan plan, ExpansionUnit unit, IReadOnlyList<CalibrationBatch> batches, AllocationSurvey survey, CancellationToken cancellationToken)
    {
        Dictionary<string, ModuleSlot> slots = unit.Slots.ToDictionary(slot => slot.Name);
        foreach (InputGroup group in unit.Slots.Count == 0 ? [] : UnitExpander.FindGroups(unit, batches, cancellationToken))
        {
            using ActivationStore tokens = ActivationCapture.Capture(unit.Calibration, group, batches, cancellationToken, plan.Memory?.ScratchFolder);
            survey.Visit([.. group.Layers.Select(layer => slots[layer.Name])], tokens);
        }
    }
}
