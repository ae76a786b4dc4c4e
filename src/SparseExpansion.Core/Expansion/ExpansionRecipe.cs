using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.DenseQuantization;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.MeanCorrection;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Experts;

namespace SparseExpansion.Expansion;

/// <summary>A choice of everything but the sparsity, for <see cref="ExpansionBuilder{TModel}.WithRecipe"/>.</summary>
/// <remarks>A recipe is changed by <c>with</c>: <c>ExpansionRecipe.Best with { FineTuning = null }</c>.</remarks>
public sealed record ExpansionRecipe
{
    /// <summary>
    /// The published method, arXiv 2405.15756: 16 experts, PCA to in_features / 32 components and k-means, SparseGPT
    /// with damping 0.01. These are the defaults of all options.
    /// </summary>
    public static ExpansionRecipe Published { get; } = new() { Router = new PcaKMeansTrainer(), Pruner = new SparseGptSparsifier() };

    /// <summary>
    /// The recipe that lost least perplexity where it was measured: 16 experts by k-means without PCA, ALPS, up to
    /// eight rounds of router refinement, error compensation, fine-tuning. Takes many times as long as
    /// <see cref="Published"/>; the expanded model costs the same. Where outputs are logits,
    /// <see cref="FineTuningOptions.OutputLoss"/> brings a little more.
    /// </summary>
    public static ExpansionRecipe Best { get; } = new()
    {
        Router = new PcaKMeansTrainer(new PcaKMeansOptions { PcaReduction = null }),
        Pruner = new AlpsSparsifier(),
        Refinement = new RouterRefinementOptions(),
        Compensation = new ErrorCompensationOptions(),
        FineTuning = new FineTuningOptions(),
    };

    /// <summary>For a first look: 4 experts, k-means once on a sample of 8,192 tokens, SparseGPT.</summary>
    public static ExpansionRecipe Fast { get; } = new()
    {
        Router = new PcaKMeansTrainer(
            new PcaKMeansOptions { Experts = 4, Restarts = 1, MaxIterations = 25, SampleTokens = 8_192 }),
        Pruner = new SparseGptSparsifier(),
    };

    /// <summary>
    /// Every step that goes beyond routing and pruning, in the order in which they work, as far as they meet. Who adds
    /// a step adds it here, and a property for its options below.
    /// </summary>
    internal static IReadOnlyList<IExpansionStep> KnownSteps { get; } =
    [
        new SmallExpertsStep(new ExpertStatisticsOptions()),
        new RefinementStep(new RouterRefinementOptions()),
        new AllocationStep(SparsityAllocation.Experts()),
        new MeanCorrectionStep(new MeanCorrectionOptions()),
        new CompensationStep(new ErrorCompensationOptions()),
        new DenseQuantizationStep(new DenseQuantizationOptions()),
        new FineTuningStep(new FineTuningOptions()),
    ];

    /// <summary>The steps of an expansion that was told nothing about them: the published method.</summary>
    internal static IReadOnlyList<IExpansionStep> DefaultSteps { get; } = [new SmallExpertsStep(new ExpertStatisticsOptions())];

    /// <summary>The steps as authors of a report's remarks; what was done last is told first.</summary>
    internal static IEnumerable<IReportRemarks> Remarks => KnownSteps.Reverse();

    /// <summary>
    /// The trainer of routers, <see cref="PcaKMeansTrainer"/> or another one; says how many experts there are.
    /// </summary>
    public required IRouterTrainer Router { get; init; }

    /// <summary>The pruner of the experts.</summary>
    public required ISparsifier Pruner { get; init; }

    /// <summary>Training of routers by the errors of their experts; null: none.</summary>
    public RouterRefinementOptions? Refinement { get; init; }

    /// <summary>Treatment of experts with few tokens.</summary>
    public ExpertStatisticsOptions ExpertStatistics { get; init; } = new();

    /// <summary>Division of the weights among layers; anything but uniform needs an unstructured target.</summary>
    public SparsityAllocation Allocation { get; init; } = SparsityAllocation.Uniform;

    /// <summary>
    /// Biases that absorb the mean output error of each expert; null: none. Not with <see cref="Compensation"/>.
    /// </summary>
    public MeanCorrectionOptions? MeanCorrection { get; init; }

    /// <summary>Compensation for what was lost before a layer; null: none.</summary>
    public ErrorCompensationOptions? Compensation { get; init; }

    /// <summary>Rounding of the linears that are not expanded, and of embeddings, to few bits; null: none.</summary>
    public DenseQuantizationOptions? DenseQuantization { get; init; }

    /// <summary>Fine-tuning of expanded blocks to the dense ones; null: none.</summary>
    public FineTuningOptions? FineTuning { get; init; }

    /// <summary>The options above as steps.</summary>
    internal IReadOnlyList<IExpansionStep> Steps =>
    [
        new SmallExpertsStep(ExpertStatistics),
        .. Refinement is null ? Array.Empty<IExpansionStep>() : [new RefinementStep(Refinement)],
        .. Allocation.Method == AllocationMethod.Uniform ? Array.Empty<IExpansionStep>() : [new AllocationStep(Allocation)],
        .. MeanCorrection is null ? Array.Empty<IExpansionStep>() : [new MeanCorrectionStep(MeanCorrection)],
        .. Compensation is null ? Array.Empty<IExpansionStep>() : [new CompensationStep(Compensation)],
        .. DenseQuantization is null ? Array.Empty<IExpansionStep>() : [new DenseQuantizationStep(DenseQuantization)],
        .. FineTuning is null ? Array.Empty<IExpansionStep>() : [new FineTuningStep(FineTuning)],
    ];

    /// <summary>Steps in the order of <see cref="KnownSteps"/>.</summary>
    internal static IReadOnlyList<IExpansionStep> InOrder(IEnumerable<IExpansionStep> steps) =>
        [.. steps.OrderBy(step => KnownSteps.TakeWhile(known => known.GetType() != step.GetType()).Count())];

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is null or out of range; the message names it.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Router);
        ArgumentNullException.ThrowIfNull(Pruner);
        ArgumentNullException.ThrowIfNull(ExpertStatistics);
        ArgumentNullException.ThrowIfNull(Allocation);
        Refinement?.Validate();
        ExpertStatistics.Validate();
        MeanCorrection?.Validate();
        Compensation?.Validate();
        DenseQuantization?.Validate();
        FineTuning?.Validate();
    }
}
