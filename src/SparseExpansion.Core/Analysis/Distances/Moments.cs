namespace SparseExpansion.Analysis.Distances;

/// <summary>
/// Population moments of a sample in double precision, by two passes: the mean first, then powers of the deviations.
/// </summary>
/// <param name="Mean">Mean.</param>
/// <param name="Variance">Mean squared deviation; NaN if any value is not finite.</param>
/// <param name="Skewness">m₃ / m₂^1.5, 0 for a constant sample.</param>
/// <param name="ExcessKurtosis">m₄ / m₂² − 3, 0 for a constant sample.</param>
/// <param name="IsConstant">True if the values do not differ by more than the rounding of their type.</param>
internal readonly record struct Moments(
    double Mean, double Variance, double Skewness, double ExcessKurtosis, bool IsConstant)
{
    /// <summary>
    /// Spread, in units of the largest magnitude, up to which values count as equal: a few roundings of float32.
    /// </summary>
    private const double SingleResolution = 4.0 / (1 << 23);

    private const double DoubleResolution = SingleResolution / (1 << 29);

    public double StandardDeviation => Math.Sqrt(Variance);

    /// <param name="sorted">Ascending, at least one value.</param>
    public static Moments OfSorted(ReadOnlySpan<float> sorted)
    {
        double mean = MomentSums.Sum(sorted) / sorted.Length;
        (double second, double third, double fourth) = MomentSums.DeviationPowers(sorted, mean);
        return From(sorted.Length, mean, second, third, fourth, IsNarrow(sorted[0], sorted[^1], SingleResolution));
    }

    /// <param name="sorted">Ascending, at least one value.</param>
    public static Moments OfSorted(ReadOnlySpan<double> sorted)
    {
        double sum = 0;
        foreach (double value in sorted)
        {
            sum += value;
        }

        double mean = sum / sorted.Length, second = 0, third = 0, fourth = 0;
        foreach (double value in sorted)
        {
            double deviation = value - mean, square = deviation * deviation;
            second += square;
            third += square * deviation;
            fourth += square * square;
        }

        return From(sorted.Length, mean, second, third, fourth, IsNarrow(sorted[0], sorted[^1], DoubleResolution));
    }

    private static Moments From(int count, double mean, double second, double third, double fourth, bool constant)
    {
        double variance = second / count;
        if (!double.IsFinite(mean) || !double.IsFinite(variance))
        {
            return new Moments(mean, double.NaN, double.NaN, double.NaN, false);
        }

        return constant
            ? new Moments(mean, 0, 0, 0, true)
            : new Moments(
                mean, variance, third / count / (variance * Math.Sqrt(variance)),
                (fourth / count / (variance * variance)) - 3, false);
    }

    private static bool IsNarrow(double least, double largest, double resolution) =>
        largest - least <= resolution * Math.Max(Math.Abs(least), Math.Abs(largest));
}
