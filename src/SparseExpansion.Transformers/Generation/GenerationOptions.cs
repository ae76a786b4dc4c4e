namespace SparseExpansion.Transformers;

/// <summary>How text is generated.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens that are generated. Default 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>0 (default) takes the most probable token; larger values divide the logits before sampling.</summary>
    public double Temperature { get; init; }

    /// <summary>Sample among this many most probable tokens only. Default null: all.</summary>
    public int? TopK { get; init; }

    /// <summary>Sample among the fewest most probable tokens whose probabilities reach this sum only. Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Seed of the sampling. Default 0.</summary>
    public int Seed { get; init; }

    /// <summary>Ids that end the text. Default null: those of the model and, where a tokenizer takes part, its end token; empty: none.</summary>
    public IReadOnlyList<int>? EosIds { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxNewTokens, 1);
        if (!double.IsFinite(Temperature) || Temperature < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "Must be a number of at least 0.");
        }

        if (TopK is < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(TopK), TopK, "Must be at least 1, or null.");
        }

        if (!(TopP is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "Must be larger than 0 and at most 1.");
        }
    }
}
