namespace SparseExpansion.Models;

/// <summary>Rotary position embeddings (Su et al. 2021) of a model.</summary>
public sealed record RotaryOptions
{
    /// <summary>Base of the geometric series of wavelengths; "rope_theta". Default 10000.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>Number of features of each head that are rotated: the first ones. Even, at least 2.</summary>
    public required int Dimensions { get; init; }

    /// <summary>Scaling for long contexts. Default none.</summary>
    public RotaryScaling Scaling { get; init; }

    /// <summary>Factor of the scaling; 1 without scaling.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Context of pre-training, in tokens, for all scalings but linear. Default 8192.</summary>
    public int OriginalContext { get; init; } = 8192;

    /// <summary>Llama 3 only: wavelengths above original context / this are scaled fully. Default 1.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3 only: wavelengths below original context / this are kept. Default 4.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>YaRN only: frequencies with more turns than this in the original context are kept. Default 32.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN only: frequencies with fewer turns than this are scaled fully. Default 1.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN only: true (default) if the ends of the ramp are whole numbers.</summary>
    public bool TruncatesRamp { get; init; } = true;

    /// <summary>LongRoPE only: divisors of the frequencies for sequences up to the original context.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>LongRoPE only: divisors of the frequencies for longer sequences.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];

    /// <summary>YaRN and LongRoPE: factor of rotated queries and keys. Default 1.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>Compares the values, lists by their elements.</summary>
    /// <param name="other">Other options, or null.</param>
    public bool Equals(RotaryOptions? other) => other is not null
        && (Theta, Dimensions, Scaling, Factor, OriginalContext, LowFrequencyFactor, HighFrequencyFactor)
            == (other.Theta, other.Dimensions, other.Scaling, other.Factor, other.OriginalContext, other.LowFrequencyFactor, other.HighFrequencyFactor)
        && (BetaFast, BetaSlow, TruncatesRamp, AttentionFactor)
            == (other.BetaFast, other.BetaSlow, other.TruncatesRamp, other.AttentionFactor)
        && ShortFactors.SequenceEqual(other.ShortFactors)
        && LongFactors.SequenceEqual(other.LongFactors);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Theta, Dimensions, Scaling, Factor, OriginalContext, ShortFactors.Count, LongFactors.Count);

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    public void Validate()
    {
        RequirePositive(Theta, nameof(Theta));
        RequirePositive(Factor, nameof(Factor));
        RequirePositive(LowFrequencyFactor, nameof(LowFrequencyFactor));
        RequirePositive(BetaSlow, nameof(BetaSlow));
        RequirePositive(AttentionFactor, nameof(AttentionFactor));
        ArgumentOutOfRangeException.ThrowIfLessThan(Dimensions, 2);
        if (Dimensions % 2 != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(Dimensions), Dimensions, $"Is {Dimensions}; rotated features come in pairs, so it must be even.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(OriginalContext, 1);
        RequireLarger(HighFrequencyFactor, LowFrequencyFactor, nameof(HighFrequencyFactor), nameof(LowFrequencyFactor));
        RequireLarger(BetaFast, BetaSlow, nameof(BetaFast), nameof(BetaSlow));
        RequireFactors(ShortFactors, nameof(ShortFactors));
        RequireFactors(LongFactors, nameof(LongFactors));
    }

    private void RequireFactors(IReadOnlyList<double> factors, string name)
    {
        if (Scaling == RotaryScaling.LongRope)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(factors.Count, Dimensions / 2, name);
        }

        foreach (double factor in factors)
        {
            RequirePositive(factor, name);
        }
    }

    private static void RequireLarger(double value, double lower, string name, string lowerName)
    {
        if (!(value > lower) || !double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"Must be larger than {lowerName}.");
        }
    }

    private static void RequirePositive(double value, string name)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new ArgumentOutOfRangeException(name, value, "Must be a positive number.");
        }
    }
}
