using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis;

/// <summary>Options for measuring neurons.</summary>
public sealed record AnalysisOptions
{
    /// <summary>
    /// Share of a layer's neurons, those of largest W₁, that are its Wasserstein
    /// neurons. Default 0.03, as in arXiv 2405.15756.
    /// </summary>
    public double TopShare { get; init; } = 0.03;

    /// <summary>
    /// Working memory in bytes, on the host and on the device together, beside weight and token source. Neurons are
    /// analyzed in panels that fit into it; smaller budgets mean more passes over the tokens, the results are the same
    /// but for the rounding of the float32 products. Default 2 GB (2·10⁹).
    /// </summary>
    public long MemoryBudgetBytes { get; init; } = 2_000_000_000;

    /// <summary>
    /// Disjoint token pairs of the mapping difficulty; at most half the tokens are available as pairs. 0: mapping
    /// difficulty is not measured (NaN). Default 50,000, as in arXiv 2405.15756.
    /// </summary>
    public int MappingPairs { get; init; } = 50_000;

    /// <summary>Analyze this many tokens only, drawn without replacement. Default null: all tokens, exactly.</summary>
    public int? SampleTokens { get; init; }

    /// <summary>
    /// Seed of the token pairs and of the sample. The same seed and tokens give the same result. Default 0.
    /// </summary>
    public long Seed { get; init; }

    /// <summary>Tokens multiplied at a time. Default 4,096.</summary>
    public int ChunkTokens { get; init; } = 4_096;

    /// <summary>Checks all properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A property is out of range; the exception names it.</exception>
    public void Validate()
    {
        if (!(TopShare is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(TopShare), TopShare, "Must be above 0 and at most 1.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MemoryBudgetBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MappingPairs);
        ArgumentOutOfRangeException.ThrowIfLessThan(SampleTokens ?? 2, 2, nameof(SampleTokens));
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkTokens, 1);
    }
}
