using MathNet.Numerics.Distributions;

namespace SparseExpansion.Analysis.Distances;

/// <summary>
/// The quantiles q_i = Φ⁻¹(i/n) of N(0,1), i = 0 … n, and the density there. The exact W₁ of n
/// sorted values needs them; they are the same for all neurons.
/// </summary>
internal sealed class GaussianQuantiles
{
    private GaussianQuantiles(double[] quantiles, double[] densities) =>
        (Quantiles, Densities) = (quantiles, densities);

    /// <summary>Number of values n.</summary>
    public int Count => Quantiles.Length - 1;

    /// <summary>[n + 1], from −∞ to ∞, odd about the middle.</summary>
    public double[] Quantiles { get; }

    /// <summary>φ of the quantiles, [n + 1], 0 at both ends.</summary>
    public double[] Densities { get; }

    /// <summary>Bytes that a table for n values takes.</summary>
    public static long Bytes(long n) => 2 * sizeof(double) * (n + 1);

    public static GaussianQuantiles For(int n)
    {
        var quantiles = new double[n + 1];
        var densities = new double[n + 1];
        (quantiles[0], quantiles[n]) = (double.NegativeInfinity, double.PositiveInfinity);
        for (int i = 1; 2 * i <= n; i++)
        {
            double q = 2 * i == n ? 0 : Normal.InvCDF(0, 1, (double)i / n);
            (quantiles[i], quantiles[n - i]) = (q, -q);
            densities[i] = densities[n - i] = Normal.PDF(0, 1, q);
        }

        return new GaussianQuantiles(quantiles, densities);
    }
}
