namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>Treatment of experts that have seen few tokens. The defaults are the published method.</summary>
/// <remarks>
/// Whatever is chosen here, an expert without tokens is pruned for the whole group's inputs, and input features that an
/// expert has not seen borrow the group's energy.
/// </remarks>
public sealed record ExpertStatisticsOptions
{
    /// <summary>
    /// Degree to which the statistic of an expert leans on that of its layer. Default <see cref="Shrinkage.Off"/>.
    /// Needs a pruner whose statistics are <see cref="Calibration.Statistics.IShrinkable"/>, or one that looks at no
    /// inputs, which it changes nothing for; with others the expansion fails.
    /// </summary>
    public Shrinkage Shrinkage { get; init; } = Shrinkage.Off;

    /// <summary>
    /// Experts with fewer tokens are dissolved, the smallest first, and their tokens go to the next best expert of the
    /// router. Default 0: none. Needs a <see cref="Routing.IReducibleRouter"/>, which those of PCA and k-means are;
    /// others stay as they are.
    /// </summary>
    public long MinimumTokens { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Shrinkage, nameof(Shrinkage));
        ArgumentOutOfRangeException.ThrowIfNegative(MinimumTokens, nameof(MinimumTokens));
    }
}
