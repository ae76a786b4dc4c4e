namespace SparseExpansion.Models;

/// <summary>
/// Feed-forward networks that are mixtures of experts by themselves (Shazeer et al. 2017): a linear router gives every
/// token a probability for each expert, the most probable ones process it, and their outputs are added, weighted.
/// </summary>
public sealed record ExpertRouting
{
    /// <summary>Number of experts.</summary>
    public required int Count { get; init; }

    /// <summary>Experts that process a token.</summary>
    public required int PerToken { get; init; }

    /// <summary>Width inside an expert.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>
    /// True if the weights of a token's experts are divided by their sum; false if they are the probabilities. Default
    /// true.
    /// </summary>
    public bool NormalizesWeights { get; init; } = true;
}
