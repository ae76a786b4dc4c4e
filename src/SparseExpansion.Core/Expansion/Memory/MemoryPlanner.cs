using System.Globalization;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;

namespace SparseExpansion.Expansion.Memory;

/// <summary>
/// Cuts an expansion into pieces that fit a memory budget: activations to disk first, then fewer experts at a time.
/// </summary>
internal static class MemoryPlanner
{
    /// <summary>The schedule of a run.</summary>
    /// <exception cref="MemoryBudgetException">Nothing fits the budget; says what would.</exception>
    public static MemorySchedule Schedule(WorkSize size, MemoryBudget budget)
    {
        (ExpansionMemoryPlan chosen, MemorySchedule schedule) = Choose(size, speed: 1e11);
        return chosen.Fits
            ? schedule
            : throw new MemoryBudgetException(
                $"The expansion does not fit into {ExpansionMemoryPlan.Size(budget.Bytes)}. {chosen.Advice}", chosen);
    }

    /// <summary>The fastest plan that fits, or else the smallest one.</summary>
    /// <param name="size">Size of the work.</param>
    /// <param name="speed">Floating-point operations a second, for the estimate of time.</param>
    public static (ExpansionMemoryPlan Plan, MemorySchedule Schedule) Choose(WorkSize size, double speed)
    {
        (bool Spill, int AtOnce)[] candidates = [.. Candidates(size.Experts)];
        ExpansionMemoryPlan[] plans = [.. candidates.Select(candidate => Describe(size, candidate.Spill, candidate.AtOnce, speed))];
        int chosen = Array.FindIndex(plans, plan => plan.Fits);
        int smallest = Array.IndexOf(plans, plans.MinBy(plan => plan.PeakBytes));
        string advice = chosen < 0 ? Advise(size, plans[smallest]) : "";
        chosen = chosen < 0 ? smallest : chosen;
        return (plans[chosen] with { LeastBytes = plans[smallest].PeakBytes, Advice = advice }, Schedule(size, candidates[chosen].Spill, candidates[chosen].AtOnce));
    }

    private static IEnumerable<(bool Spill, int AtOnce)> Candidates(int experts) =>
        Enumerable.Range(0, experts + 1).Select(i => i == 0 ? (false, experts) : (true, experts + 1 - i));

    private static MemorySchedule Schedule(WorkSize size, bool spill, int atOnce) => new(
        spill ? size.Request.Options.Memory!.ScratchFolder : null,
        atOnce >= size.Experts
            ? new Dictionary<string, int>()
            : size.Blocks.SelectMany(block => block.Slots).ToDictionary(slot => slot.Name, _ => atOnce));

    private static ExpansionMemoryPlan Describe(WorkSize size, bool spill, int atOnce, double speed)
    {
        int passes = (size.Experts + atOnce - 1) / atOnce;
        long batch = size.BatchTokens * size.WidestFeatures * sizeof(float);
        long captured = spill ? Math.Min(batch, size.CaptureBytes) : size.CaptureBytes;
        long hidden = spill ? 0 : size.HiddenBytes;
        int streams = passes == 1 ? 1 : 2 * passes;
        IEnumerable<IGrouping<long, ModuleSlot>> widths = size.Blocks.SelectMany(WorkSize.Widths);
        return new ExpansionMemoryPlan
        {
            BudgetBytes = size.Request.Options.Memory?.Bytes,
            ResidentBytes = size.BaseBytes + Math.Max(hidden + Finished(size) + size.Blocks.Max(block => block.Slots.Sum(size.DenseExperts)), size.UnpackedBytes),
            SpillsActivations = spill,
            ScratchBytes = spill ? size.CaptureBytes + size.HiddenBytes : 0,
            ExpertsAtOnce = Math.Min(atOnce, size.Experts),
            LeastBytes = 0,
            Advice = "",
            Stages =
            [
                new MemoryStage("calibration", captured + size.ForwardBytes, 1, WorkEstimate.Forward(size) / speed),
                new MemoryStage("routing", captured + widths.Max(width => FitBytes(size, width.Key)), 1, WorkEstimate.Routing(size) / speed),
                .. Trials(size, captured, widths, speed),
                new MemoryStage("pruning", captured + widths.Max(width => Pruning(size, width, atOnce, passes)), streams, WorkEstimate.Pruning(size, streams) / speed),
                .. OnBlocks(size, speed),
                new MemoryStage("propagation", size.ForwardBytes, 1, WorkEstimate.Propagation(size) / speed),
                new MemoryStage("packing", size.Blocks.SelectMany(block => block.Slots).Max(size.StoredExperts), 1, 0),
            ],
        };
    }

    /// <summary>Trials of the steps, with statistics of all experts.</summary>
    private static MemoryStage[] Trials(
        WorkSize size, long captured, IEnumerable<IGrouping<long, ModuleSlot>> widths, double speed) =>
        size.Steps.Sum(step => step.Trials) == 0
            ? []
            : [new MemoryStage("trials", captured + widths.Max(width => Trial(size, width)), 3, WorkEstimate.Trials(size) / speed)];

    private static IEnumerable<MemoryStage> OnBlocks(WorkSize size, double speed) =>
        size.Steps.Select(step => step.Block).OfType<BlockCost>()
        .Select(block => new MemoryStage(block.Name, block.Bytes, 1, block.Operations / speed));

    private static long Trial(WorkSize size, IGrouping<long, ModuleSlot> width) =>
        (2 * size.Experts * size.Statistic(width.Key))
        + size.PrunerBytes(width.Max(slot => WorkSize.Shape(slot).Out), width.Key, size.Experts)
        + size.Steps.Sum(step => step.TrialBytes(width.Key));

    private static long Pruning(WorkSize size, IGrouping<long, ModuleSlot> width, int atOnce, int passes)
    {
        long results = passes == 1 ? width.Max(size.DenseExperts) : width.Sum(size.DenseExperts);
        long statistics = (Math.Min(atOnce, size.Experts) + 1) * size.Statistic(width.Key);
        long chunk = (2L + size.Steps.Sum(step => step.ChunkCopies)) * size.Request.Options.ChunkTokens * width.Key
            * sizeof(float);
        long copies = (2 + size.Steps.Sum(step => step.CaptureCopies)) * size.CaptureBytes;
        long rows = width.Max(slot => WorkSize.Shape(slot).Out);
        int together = Math.Min(atOnce, size.Experts);
        long work = size.PrunerBytes(rows, width.Key, size.Steps.Any(step => step.PrunesOneByOne) ? 1 : together);
        long sums = size.Steps.Sum(step => step.PruningBytes(rows, width.Key, together));
        return statistics + sums + Math.Max(Math.Min(chunk, copies), work) + results;
    }

    private static long FitBytes(WorkSize size, long features) => size.Request.Trainer is ISizedRouterTrainer sized
        ? sized.BytesToFit(size.Tokens, features)
        : size.Tokens * features * sizeof(float);

    private static long Finished(WorkSize size) => size.FinishedAreMapped
        ? 0
        : size.Blocks.Take(size.Blocks.Count - 1).Sum(block => block.Slots.Sum(size.StoredExperts));

    private static string Advise(WorkSize size, ExpansionMemoryPlan smallest)
    {
        MemoryStage largest = smallest.Stages.MaxBy(stage => stage.Bytes)!;
        var ways = new List<string> { $"raise the budget to {ExpansionMemoryPlan.Size(smallest.PeakBytes)}" };
        if (!size.WeightsAreMapped && size.ModelBytes > smallest.PeakBytes / 10)
        {
            ways.Add($"load the model mapped ({ExpansionMemoryPlan.Size(size.ModelBytes)} less)");
        }

        if (Finished(size) > 0)
        {
            ways.Add($"give a store for finished blocks ({ExpansionMemoryPlan.Size(Finished(size))} less)");
        }

        if (size.UnpackedBytes > 0)
        {
            ways.Add("leave layers outside the blocks out of the targets");
        }

        if (size.Experts > 1 && size.Blocks.Max(block => block.Slots.Sum(size.DenseExperts)) > smallest.PeakBytes / 10)
        {
            ways.Add("take fewer experts");
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"Cut as small as it can be, {largest.Name} still takes {ExpansionMemoryPlan.Size(smallest.ResidentBytes + largest.Bytes)}: {string.Join(", or ", ways)}.");
    }
}
