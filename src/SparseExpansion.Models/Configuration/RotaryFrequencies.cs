namespace SparseExpansion.Models.Configuration;

/// <summary>Angles per position of rotary embeddings.</summary>
internal static class RotaryFrequencies
{
    /// <summary>ω_i = θ^(−2i/d) for the d/2 rotated pairs, scaled as the options say.</summary>
    public static double[] Compute(RotaryOptions options)
    {
        double[] frequencies = new double[options.Dimensions / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double plain = Math.Pow(options.Theta, -2.0 * i / options.Dimensions);
            frequencies[i] = options.Scaling switch
            {
                RotaryScaling.Linear => plain / options.Factor,
                RotaryScaling.Llama3 => ScaleLlama3(plain, options),
                _ => plain,
            };
        }

        return frequencies;
    }

    /// <summary>
    /// Llama 3.1: frequencies that turn more than "high" times in the original context are kept, those that turn less
    /// than "low"
    /// times are divided by the factor, and those between are interpolated by their number of turns.
    /// </summary>
    private static double ScaleLlama3(double frequency, RotaryOptions options)
    {
        double turns = options.OriginalContext * frequency / (2 * Math.PI);
        double kept = Math.Clamp(
            (turns - options.LowFrequencyFactor) / (options.HighFrequencyFactor - options.LowFrequencyFactor), 0, 1);
        return ((1 - kept) * frequency / options.Factor) + (kept * frequency);
    }
}
