namespace SparseExpansion.Models;

/// <summary>Choices that may differ from one block of a model to the next.</summary>
public sealed record LayerOptions
{
    /// <summary>Rotary position embeddings; null (default) means that queries and keys are not rotated.</summary>
    public RotaryOptions? Rotary { get; init; }

    /// <summary>
    /// A token attends to this many tokens, itself included; null (default) means to all before it.
    /// </summary>
    public int? Window { get; init; }

    /// <summary>Factor of the attention's scores beside that of the model. Default 1.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>
    /// True if the feed-forward network is a mixture of experts, see <see cref="ModelConfig.Experts"/>. Default false.
    /// </summary>
    public bool HasExperts { get; init; }

    /// <summary>The same options for a number of blocks.</summary>
    /// <param name="count">Number of blocks, at least 0.</param>
    /// <param name="rotary">See <see cref="Rotary"/>.</param>
    /// <param name="window">See <see cref="Window"/>.</param>
    public static IReadOnlyList<LayerOptions> Repeat(int count, RotaryOptions? rotary = null, int? window = null) =>
        [.. Enumerable.Repeat(new LayerOptions { Rotary = rotary, Window = window }, count)];
}
