namespace SparseExpansion.Transformers;

/// <summary>Settings of a perplexity measurement.</summary>
public sealed record PerplexityOptions
{
    /// <summary>Windows in one forward pass; bounds the memory for logits. Default 8.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="BatchSize"/> is below 1.</exception>
    public void Validate() => ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
}
