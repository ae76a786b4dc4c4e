namespace SparseExpansion.Analysis.Correlations;

/// <summary>Options for the confidence intervals of rank correlations.</summary>
public sealed record RankCorrelationOptions
{
    /// <summary>Bootstrap resamples of the neurons. Default 1,000.</summary>
    public int Resamples { get; init; } = 1_000;

    /// <summary>Share of the resamples inside the interval. Default 0.95.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Seed of the resamples. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Checks all properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A property is out of range; the exception names it.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Resamples, 2);
        if (!(Confidence is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(Confidence), Confidence, "Must lie between 0 and 1.");
        }
    }
}
