using SparseExpansion.Expansion;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Transformers;

/// <summary>Settings of <see cref="PretrainedModel.Expand"/> beside sparsity and text.</summary>
public sealed record PretrainedExpansionOptions
{
    /// <summary>
    /// Recipe for training routers and pruning experts. Default <see cref="ExpansionRecipe.Published"/>;
    /// <see cref="LanguageModelRecipe.Best"/> loses less and takes many times as long.
    /// </summary>
    public ExpansionRecipe Recipe { get; init; } = ExpansionRecipe.Published;

    /// <summary>Tokens of a calibration window. Default null: <see cref="TokenWindows.DefaultContext"/>.</summary>
    public int? Context { get; init; }

    /// <summary>Settings for loading the dense model. Default: float32 on the CPU.</summary>
    public LoadOptions Load { get; init; } = new();

    /// <summary>
    /// Anything else: <c>builder => builder.Targets("*").WithSeed(1)</c>. Called last, so that it overrides what was
    /// set before. Default null.
    /// </summary>
    public Action<ExpansionBuilder<CausalLanguageModel>>? Configure { get; init; }

    /// <summary>Called with every step, in order, on the calling thread. Default null.</summary>
    public Action<ExpansionProgress>? Progress { get; init; }

    /// <summary>Storage format of the experts. Default: as they are, packed.</summary>
    public ExpertFormat Format { get; init; } = ExpertFormat.Unchanged;

    /// <summary>True replaces an output folder that is there; false (default) refuses one that is not empty.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException">A value is null or out of range.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Recipe);
        ArgumentNullException.ThrowIfNull(Load);
        Recipe.Validate();
        Load.Validate();
        if (Context is { } context)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(context, 2, nameof(Context));
        }
    }
}
