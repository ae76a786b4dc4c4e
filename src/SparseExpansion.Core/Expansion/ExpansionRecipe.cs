using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Routing.Clustering;

namespace SparseExpansion.Expansion;

/// <summary>A choice of everything but the sparsity, for <see cref="ExpansionBuilder{TModel}.WithRecipe"/>.</summary>
/// <remarks>A recipe is changed by <c>with</c>: <c>ExpansionRecipe.Best with { FineTuning = null }</c>.</remarks>
public sealed record ExpansionRecipe
{
    /// <summary>
    /// The published method, arXiv 2405.15756: 16 experts, PCA to in_features / 32 components and k-means, SparseGPT with damping 0.01. These are
    /// the defaults of all options.
    /// </summary>
    public static ExpansionRecipe Published { get; } = new() { Router = new PcaKMeansOptions(), Pruner = new SparseGptSparsifier() };

    /// <summary>
    /// What lost least perplexity where it was measured: 16 experts by k-means without PCA, ALPS, up to eight rounds of router
    /// refinement, error compensation, fine-tuning. Takes many times as long as <see cref="Published"/>; the expanded model costs the same.
    /// Where outputs are logits, <see cref="FineTuningOptions.OutputLoss"/> brings a little more.
    /// </summary>
    public static ExpansionRecipe Best { get; } = new()
    {
        Router = new PcaKMeansOptions { PcaReduction = null },
        Pruner = new AlpsSparsifier(),
        Refinement = new RouterRefinementOptions(),
        Compensation = new ErrorCompensationOptions(),
        FineTuning = new FineTuningOptions(),
    };

    /// <summary>For a first look: 4 experts, k-means once on a sample of 8,192 tokens, SparseGPT.</summary>
    public static ExpansionRecipe Fast { get; } = new()
    {
        Router = new PcaKMeansOptions { Experts = 4, Restarts = 1, MaxIterations = 25, SampleTokens = 8_192 },
        Pruner = new SparseGptSparsifier(),
    };

    /// <summary>How routers are trained, and how many experts there are.</summary>
    public required PcaKMeansOptions Router { get; init; }

    /// <summary>How experts are pruned.</summary>
    public required ISparsifier Pruner { get; init; }

    /// <summary>How routers learn from their experts' errors; null: not at all.</summary>
    public RouterRefinementOptions? Refinement { get; init; }

    /// <summary>What becomes of experts with few tokens.</summary>
    public ExpertStatisticsOptions ExpertStatistics { get; init; } = new();

    /// <summary>How weights are divided among layers; anything but uniform needs an unstructured target.</summary>
    public SparsityAllocation Allocation { get; init; } = SparsityAllocation.Uniform;

    /// <summary>How experts make up for what was lost before them; null: not at all.</summary>
    public ErrorCompensationOptions? Compensation { get; init; }

    /// <summary>How blocks are fitted to the dense ones; null: not at all.</summary>
    public FineTuningOptions? FineTuning { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is null or out of range; the message names it.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Router);
        ArgumentNullException.ThrowIfNull(Pruner);
        ArgumentNullException.ThrowIfNull(ExpertStatistics);
        ArgumentNullException.ThrowIfNull(Allocation);
        Router.Validate();
        Refinement?.Validate();
        ExpertStatistics.Validate();
        Compensation?.Validate();
        FineTuning?.Validate();
    }
}
