namespace SparseExpansion.Models.Configuration;

/// <summary>Angles per position of rotary embeddings.</summary>
internal static class RotaryFrequencies
{
    /// <summary>
    /// A number that two lengths of a sequence share if their frequencies are the same.
    /// </summary>
    public static long Regime(RotaryOptions options, long length) => options.Scaling switch
    {
        RotaryScaling.Dynamic => Math.Max(length, options.OriginalContext),
        RotaryScaling.LongRope => length > options.OriginalContext ? 1 : 0,
        _ => 0,
    };

    /// <summary>ω_i = θ^(−2i/d) for the d/2 rotated pairs, scaled as the options say.</summary>
    /// <param name="options">Base, number of features and scaling.</param>
    /// <param name="length">Tokens of the sequence, for scalings that look at it.</param>
    public static double[] Compute(RotaryOptions options, long length = 0)
    {
        double theta = options.Scaling == RotaryScaling.Dynamic ? DynamicTheta(options, length) : options.Theta;
        double[] frequencies = new double[options.Dimensions / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double plain = Math.Pow(theta, -2.0 * i / options.Dimensions);
            frequencies[i] = options.Scaling switch
            {
                RotaryScaling.Linear => plain / options.Factor,
                RotaryScaling.Llama3 => ScaleLlama3(plain, options),
                RotaryScaling.Yarn => ScaleYarn(plain, i, options),
                RotaryScaling.LongRope => plain / (length > options.OriginalContext ? options.LongFactors : options.ShortFactors)[i],
                _ => plain,
            };
        }

        return frequencies;
    }

    /// <summary>
    /// YaRN's factor of queries and keys where the file names none: 0.1 ln s + 1 (arXiv 2309.00071, eq. 22).
    /// </summary>
    /// <param name="factor">s, the ratio of the contexts.</param>
    /// <param name="weight">Factor of the logarithm.</param>
    public static double YarnAttention(double factor, double weight = 1) =>
        factor <= 1 ? 1 : (0.1 * weight * Math.Log(factor)) + 1;

    /// <summary>LongRoPE's factor: sqrt(1 + ln s / ln L) for an original context of L tokens.</summary>
    public static double LongRopeAttention(double factor, int originalContext) =>
        factor <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(factor) / Math.Log(originalContext)));

    private static double DynamicTheta(RotaryOptions options, long length)
    {
        double ratio = Math.Max(length, options.OriginalContext) / (double)options.OriginalContext;
        double dimensions = options.Dimensions;
        return options.Theta
            * Math.Pow((options.Factor * ratio) - (options.Factor - 1), dimensions / Math.Max(dimensions - 2, 1));
    }

    /// <summary>
    /// Llama 3.1: frequencies that turn more than "high" times in the original context are kept, those that turn less
    /// than "low" times are divided by the factor, and those between are interpolated by their number of turns.
    /// </summary>
    private static double ScaleLlama3(double frequency, RotaryOptions options)
    {
        double turns = options.OriginalContext * frequency / (2 * Math.PI);
        double kept = Math.Clamp(
            (turns - options.LowFrequencyFactor) / (options.HighFrequencyFactor - options.LowFrequencyFactor), 0, 1);
        return ((1 - kept) * frequency / options.Factor) + (kept * frequency);
    }

    /// <summary>YaRN: the ramp runs over the index of the frequency, not over its turns.</summary>
    private static double ScaleYarn(double frequency, int index, RotaryOptions options)
    {
        double low = IndexOfTurns(options.BetaFast, options), high = IndexOfTurns(options.BetaSlow, options);
        (low, high) = options.TruncatesRamp ? (Math.Floor(low), Math.Ceiling(high)) : (low, high);
        (low, high) = (Math.Max(low, 0), Math.Min(high, options.Dimensions - 1));
        double scaled = Math.Clamp((index - low) / (high == low ? 0.001 : high - low), 0, 1);
        return (scaled * frequency / options.Factor) + ((1 - scaled) * frequency);
    }

    /// <summary>The index, between whole numbers, of the frequency with so many turns in the original context.</summary>
    private static double IndexOfTurns(double turns, RotaryOptions options) =>
        options.Dimensions * Math.Log(options.OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(options.Theta));
}
