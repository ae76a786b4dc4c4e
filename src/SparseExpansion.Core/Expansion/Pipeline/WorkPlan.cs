using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Memory;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Plans the blocks, the memory and the time of a request, its steps included.</summary>
internal static class WorkPlan
{
    /// <summary>The blocks with their targets.</summary>
    /// <exception cref="SparseExpansionException">Targets are missing, or a step cannot work on the blocks.</exception>
    public static IReadOnlyList<ExpansionBlock> Blocks(ExpansionRequest request)
    {
        IReadOnlyList<ExpansionBlock> blocks = BlockPlanner.Plan(request);
        foreach (IExpansionStep step in request.Steps)
        {
            step.CheckBlocks(request, blocks);
        }

        return blocks;
    }

    /// <summary>Memory and time that a request will take.</summary>
    public static ExpansionMemoryPlan Choose(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches)
    {
        CalibrationGuard.CheckSteps(request, batches);
        IReadOnlyList<ExpansionBlock> blocks = Blocks(request);
        return MemoryPlanner.Choose(Size(request, batches, blocks), WorkEstimate.MeasureSpeed(blocks[0].Calibration.Device)).Plan;
    }

    /// <summary>The schedule of a run; null where there is no budget.</summary>
    /// <exception cref="MemoryBudgetException">Nothing fits the budget; says what would.</exception>
    public static MemorySchedule? Schedule(
        ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, IReadOnlyList<ExpansionBlock> blocks) =>
        request.Options.Memory is { } budget ? MemoryPlanner.Schedule(Size(request, batches, blocks), budget) : null;

    private static WorkSize Size(
        ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, IReadOnlyList<ExpansionBlock> blocks) =>
        new(request, batches, blocks, [.. request.Steps.Select(step => (Func<WorkSize, StepCost>)step.Cost)]);
}
