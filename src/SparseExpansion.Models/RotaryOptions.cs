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

    /// <summary>Llama 3 only: wavelengths above original context / this are scaled fully. Default 1.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3 only: wavelengths below original context / this are kept. Default 4.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Llama 3 only: context of pre-training, in tokens. Default 8192.</summary>
    public int OriginalContext { get; init; } = 8192;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    public void Validate()
    {
        RequirePositive(Theta, nameof(Theta));
        RequirePositive(Factor, nameof(Factor));
        RequirePositive(LowFrequencyFactor, nameof(LowFrequencyFactor));
        ArgumentOutOfRangeException.ThrowIfLessThan(Dimensions, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(Dimensions % 2, 0, nameof(Dimensions));
        ArgumentOutOfRangeException.ThrowIfLessThan(OriginalContext, 1);
        if (!(HighFrequencyFactor > LowFrequencyFactor) || !double.IsFinite(HighFrequencyFactor))
        {
            throw new ArgumentOutOfRangeException(
                nameof(HighFrequencyFactor), HighFrequencyFactor, $"Must be larger than {nameof(LowFrequencyFactor)}.");
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
