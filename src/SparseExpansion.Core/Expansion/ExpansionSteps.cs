using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.MeanCorrection;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Routing.Experts;

namespace SparseExpansion.Expansion;

/// <summary>The steps of expansions that this library knows, and their order.</summary>
internal static class ExpansionSteps
{
    /// <summary>
    /// Every step that goes beyond routing and pruning, in the order in which they work, as far as they meet. Who adds
    /// a step adds it here, and a property for its options to <see cref="ExpansionRecipe"/>.
    /// </summary>
    public static IReadOnlyList<IExpansionStep> Known { get; } =
    [
        new SmallExpertsStep(new ExpertStatisticsOptions()),
        new RefinementStep(new RouterRefinementOptions()),
        new AllocationStep(SparsityAllocation.Experts()),
        new MeanCorrectionStep(new MeanCorrectionOptions()),
        new CompensationStep(new ErrorCompensationOptions()),
        new FineTuningStep(new FineTuningOptions()),
    ];

    /// <summary>The steps of an expansion that was told nothing about them: the published method.</summary>
    public static IReadOnlyList<IExpansionStep> Default { get; } = [new SmallExpertsStep(new ExpertStatisticsOptions())];

    /// <summary>The steps as authors of a report's remarks; what was done last is told first.</summary>
    public static IEnumerable<IReportRemarks> Remarks => Known.Reverse();

    /// <summary>Steps in the order of <see cref="Known"/>.</summary>
    public static IReadOnlyList<IExpansionStep> InOrder(IEnumerable<IExpansionStep> steps) =>
        [.. steps.OrderBy(step => Known.TakeWhile(known => known.GetType() != step.GetType()).Count())];
}
