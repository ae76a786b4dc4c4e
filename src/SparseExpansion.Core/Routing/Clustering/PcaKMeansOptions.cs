namespace SparseExpansion.Routing.Clustering;

/// <summary>Options for clustering the tokens of an input group by <see cref="PcaKMeansTrainer"/>.</summary>
public sealed record PcaKMeansOptions
{
    /// <summary>
    /// Number of experts asked for. Fewer come out where
    /// <see cref="MinimumTokensPerExpert"/> merges clusters. Default 16.
    /// </summary>
    public int Experts { get; init; } = 16;

    /// <summary>
    /// Tokens are projected to in_features / <see cref="PcaReduction"/> principal components, at least one. Null or 1:
    /// no projection, tokens are clustered as they are. Default 32, as in arXiv 2405.15756.
    /// </summary>
    public int? PcaReduction { get; init; } = 32;

    /// <summary>Number of k-means runs from different seeds; the one of least inertia is kept. Default 8.</summary>
    public int Restarts { get; init; } = 8;

    /// <summary>Largest number of Lloyd iterations of a run. Default 100.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>
    /// A run has converged when the squared shifts of its centroids add up to at most this fraction of the mean
    /// variance of a feature. Default 1e-4.
    /// </summary>
    public double Tolerance { get; init; } = 1e-4;

    /// <summary>
    /// Clusters with fewer tokens are dissolved, the smallest first, and their tokens go to the next nearest centroid;
    /// the router then has fewer experts. Default 1: only clusters without tokens go.
    /// </summary>
    public int MinimumTokensPerExpert { get; init; } = 1;

    /// <summary>
    /// The restarts run on at most this many tokens, drawn without replacement and held on the device; the best of them
    /// is then refined on all tokens. Never fewer than <see cref="Experts"/> are taken. Default 32,768.
    /// </summary>
    public int SampleTokens { get; init; } = 32_768;

    /// <summary>Tokens processed at a time. Default 8,192.</summary>
    public int ChunkTokens { get; init; } = 8_192;

    /// <summary>True if tokens are projected before they are clustered.</summary>
    public bool UsesPca => PcaReduction is > 1;

    /// <summary>Checks all properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A property is out of range; the exception names it.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Experts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(PcaReduction ?? 1, 1, nameof(PcaReduction));
        ArgumentOutOfRangeException.ThrowIfLessThan(Restarts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxIterations, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Tolerance);
        ArgumentOutOfRangeException.ThrowIfLessThan(MinimumTokensPerExpert, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(SampleTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkTokens, 1);
        if (!double.IsFinite(Tolerance))
        {
            throw new ArgumentOutOfRangeException(nameof(Tolerance), Tolerance, "Must be finite.");
        }
    }
}
