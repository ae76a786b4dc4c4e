namespace SparseExpansion.Inference.Vectors;

/// <summary>The error function in float64, slow and exact, to compare with.</summary>
internal static class ErrorFunction
{
    // Where the series needs too many terms and the continued fraction few.
    private const double SeriesEnd = 2;

    /// <summary>Φ(x) = erfc(−x / √2) / 2, the distribution function of the standard normal.</summary>
    public static double NormalDistribution(double x) => 0.5 * Complement(-x * 0.70710678118654752440);

    /// <summary>erfc(x) = 1 − erf(x), to about 1e-15 of its value (Abramowitz &amp; Stegun 7.1.6 and 7.1.14).</summary>
    public static double Complement(double x) => x switch
    {
        < 0 => 2 - Complement(-x),
        < SeriesEnd => 1 - Series(x),
        < 27 => Fraction(x),
        double.NaN => double.NaN,
        _ => 0,
    };

    /// <summary>erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n+1)).</summary>
    private static double Series(double x)
    {
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>erfc(x) = e^(−x²)/√π / (x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), from the innermost term out.</summary>
    private static double Fraction(double x)
    {
        const int Terms = 60;
        double value = x;
        for (int n = Terms; n > 0; n--)
        {
            value = x + (n / 2.0 / value);
        }

        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / value;
    }
}
