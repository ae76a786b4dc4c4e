using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace SparseExpansion.Analysis.Distances;

/// <summary>
/// W₁ to N(0,1) as ∫|F_n − Φ| over the real line, step by step of the empirical distribution function: by the
/// antiderivative xΦ(x) + φ(x), and by brute force. Shares neither form nor code with the library.
/// </summary>
internal static class StepIntegral
{
    public static double ClosedForm(IEnumerable<double> values)
    {
        double[] z = Standardize(values);
        double sum = Antiderivative(z[0]) + Antiderivative(-z[^1]);
        for (int i = 1; i < z.Length; i++)
        {
            double level = (double)i / z.Length;
            double crossing = Math.Clamp(Normal.InvCDF(0, 1, level), z[i - 1], z[i]);
            sum += Excess(z[i - 1], crossing, level) - Excess(crossing, z[i], level);
        }

        return sum;
    }

    /// <summary>Midpoint sums over [−12, 12].</summary>
    public static double BruteForce(IEnumerable<double> values, int points)
    {
        double[] z = Standardize(values);
        double width = 24.0 / points, sum = 0;
        int below = 0;
        for (int i = 0; i < points; i++)
        {
            double x = -12 + ((i + 0.5) * width);
            while (below < z.Length && z[below] <= x)
            {
                below++;
            }

            sum += Math.Abs(((double)below / z.Length) - Normal.CDF(0, 1, x)) * width;
        }

        return sum;
    }

    private static double[] Standardize(IEnumerable<double> values)
    {
        double[] all = [.. values.Order()];
        double mean = all.Average(), deviation = Math.Sqrt(all.Average(value => (value - mean) * (value - mean)));
        return [.. all.Select(value => (value - mean) / deviation)];
    }

    /// <summary>∫_from^to (level − Φ).</summary>
    private static double Excess(double from, double to, double level) =>
        (level * (to - from)) - (Antiderivative(to) - Antiderivative(from));

    /// <summary>∫_−∞^x Φ = xΦ(x) + φ(x).</summary>
    private static double Antiderivative(double x) =>
        (x * 0.5 * SpecialFunctions.Erfc(-x / Constants.Sqrt2)) + (Math.Exp(-x * x / 2) / Constants.Sqrt2Pi);
}
