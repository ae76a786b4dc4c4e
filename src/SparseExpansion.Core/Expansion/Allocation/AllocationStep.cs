using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Expansion.Allocation;

/// <summary>
/// Passes through the dense model and divides the budget of weights among its linears; divides that of each among its
/// experts.
/// </summary>
internal sealed record AllocationStep(SparsityAllocation Allocation) : IExpansionStep
{
    public string SettingName => "allocation";

    public string Setting => $"{Allocation}";

    public string? SettingWithout => $"{SparsityAllocation.Uniform}";

    public string ManifestText => $"allocation by {Allocation}";

    public void Validate(ExpansionRequest request)
    {
        if (request.Target is not UnstructuredTarget)
        {
            throw new InvalidOperationException(
                $"{request.Target} sparsity keeps the same share everywhere, so Allocate has nothing to divide: ask for an unstructured target or leave Allocate out.");
        }

        if (Allocation.PerExpert && request.Options.Memory is not null)
        {
            throw new InvalidOperationException(
                "Allocation among experts needs the statistics of all experts at once; it does not go with a memory budget (WithMemory).");
        }
    }

    public void BeforeBlocks(ExpansionRun run)
    {
        if (!Allocation.PerLinear)
        {
            return;
        }

        var survey = new AllocationSurvey(run, Allocation);
        IReadOnlyList<CalibrationBatch> hidden = run.Blocks[0].IsWholeModel ? [] : HiddenStates.Enter(run);
        try
        {
            for (int b = 0; b < run.Blocks.Count; b++)
            {
                Survey(run, run.Blocks[b], run.Blocks[b].IsWholeModel ? run.Batches : hidden, survey);
                if (b + 1 < run.Blocks.Count && !run.Blocks[b + 1].IsWholeModel)
                {
                    hidden = HiddenStates.Propagate(
                        run.Blocks[b].Calibration, hidden, run.Schedule, run.CancellationToken);
                }
            }
        }
        finally
        {
            HiddenStates.Dispose(hidden);
        }

        run.SetTargets(survey.Divide());
    }

    public void OnRouted(GroupRun group)
    {
        if (Allocation.PerExpert)
        {
            group.Steps.Add(new ExpertDivision(group, Allocation.MaxDeviation));
        }
    }

    private static void Survey(
        ExpansionRun run, ExpansionBlock block, IReadOnlyList<CalibrationBatch> batches, AllocationSurvey survey)
    {
        Dictionary<string, ModuleSlot> slots = block.Slots.ToDictionary(slot => slot.Name);
        foreach (InputGroup group in block.Slots.Count == 0 ? [] : BlockExpander.FindGroups(block, batches, run.CancellationToken))
        {
            using ActivationStore tokens = ActivationCapture.Capture(
                block.Calibration, group, batches, run.CancellationToken, run.Schedule?.ScratchFolder);
            survey.Visit([.. group.Layers.Select(layer => slots[layer.Name])], tokens);
        }
    }
}
