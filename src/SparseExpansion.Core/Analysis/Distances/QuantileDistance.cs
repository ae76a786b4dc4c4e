using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MathNet.Numerics.Distributions;

namespace SparseExpansion.Analysis.Distances;

/// <summary>
/// W₁ = ∫₀¹ |F⁻¹(p) − G⁻¹(p)| dp for sorted samples. On ((i−1)/n, i/n] the empirical quantile is the constant z_i, and
/// the Gaussian one has the integral M_i = φ(q_{i−1}) − φ(q_i), because Φ⁻¹ integrates to −φ(Φ⁻¹). A step whose z_i
/// lies outside (q_{i−1}, q_i) has the area |z_i/n − M_i|: no Φ is to be evaluated. In the other steps, about √n of
/// them, the two quantile functions cross, and the area is z(2Φ(z) − (2i−1)/n) + 2φ(z) − φ(q_{i−1}) − φ(q_i).
/// </summary>
internal static class QuantileDistance
{
    /// <summary>W₁ to N(0,1) of a standardized row; 0 for a constant row, NaN for one that is not finite.</summary>
    public static double ToGaussian(ReadOnlySpan<float> sorted, in Moments moments, GaussianQuantiles gaussian) =>
        moments.IsConstant ? 0
        : double.IsNaN(moments.Variance) ? double.NaN
        : ToGaussian(sorted, moments.Mean, moments.StandardDeviation, gaussian);

    /// <summary>W₁ of (sorted − mean) / deviation to N(0,1), one value at a time.</summary>
    public static double ToGaussian(
        ReadOnlySpan<double> sorted, double mean, double deviation, GaussianQuantiles gaussian)
    {
        double sum = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            sum += Step((sorted[i] - mean) / deviation, i, gaussian);
        }

        return sum;
    }

    /// <summary>W₁ of (sorted − mean) / deviation to N(0,1), many values at a time.</summary>
    public static double ToGaussian(
        ReadOnlySpan<float> sorted, double mean, double deviation, GaussianQuantiles gaussian)
    {
        ref float start = ref MemoryMarshal.GetReference(sorted);
        ref double quantiles = ref MemoryMarshal.GetArrayDataReference(gaussian.Quantiles);
        ref double densities = ref MemoryMarshal.GetArrayDataReference(gaussian.Densities);
        var center = new Vector<double>(mean);
        var scale = new Vector<double>(1 / deviation);
        var share = new Vector<double>(1.0 / sorted.Length);
        Vector<double> areas = Vector<double>.Zero;
        double crossings = 0;
        int i = 0;
        for (; i <= sorted.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Load(ref start, i), out Vector<double> low, out Vector<double> high);
            low = (low - center) * scale;
            high = (high - center) * scale;
            int middle = i + Vector<double>.Count;
            areas += Vector.Abs((low * share) - Load(ref densities, i) + Load(ref densities, i + 1));
            areas += Vector.Abs((high * share) - Load(ref densities, middle) + Load(ref densities, middle + 1));
            if (Crosses(low, ref quantiles, i) || Crosses(high, ref quantiles, middle))
            {
                crossings += Corrections(sorted.Slice(i, Vector<float>.Count), i, mean, deviation, gaussian);
            }
        }

        double sum = Vector.Sum(areas) + crossings;
        for (; i < sorted.Length; i++)
        {
            sum += Step((sorted[i] - mean) / deviation, i, gaussian);
        }

        return sum;
    }

    /// <summary>W₁ between two sorted samples of equal size: the mean distance of values of the same rank.</summary>
    public static double BetweenEqual(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        Vector<double> sums = Vector<double>.Zero;
        ref float left = ref MemoryMarshal.GetReference(first), right = ref MemoryMarshal.GetReference(second);
        int i = 0;
        for (; i <= first.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Load(ref left, i), out Vector<double> leftLow, out Vector<double> leftHigh);
            Vector.Widen(Load(ref right, i), out Vector<double> rightLow, out Vector<double> rightHigh);
            sums += Vector.Abs(leftLow - rightLow) + Vector.Abs(leftHigh - rightHigh);
        }

        double sum = Vector.Sum(sums);
        for (; i < first.Length; i++)
        {
            sum += Math.Abs((double)first[i] - second[i]);
        }

        return sum / first.Length;
    }

    /// <summary>
    /// W₁ between two sorted samples of any size: walks along the steps of both quantile functions.
    /// </summary>
    public static double Between(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        // Probabilities in units of 1/(n·m): exact, so that no step is lost to rounding.
        long position = 0, n = first.Length, m = second.Length;
        double sum = 0;
        for (int i = 0, j = 0; i < n && j < m;)
        {
            long endFirst = (i + 1) * m, endSecond = (j + 1) * n, end = Math.Min(endFirst, endSecond);
            sum += Math.Abs(first[i] - second[j]) * (end - position);
            position = end;
            i += endFirst == end ? 1 : 0;
            j += endSecond == end ? 1 : 0;
        }

        return sum / n / m;
    }

    /// <summary>Root of the mean squared difference of two rows.</summary>
    public static double RootMeanSquare(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        Vector<double> sums = Vector<double>.Zero;
        ref float left = ref MemoryMarshal.GetReference(first), right = ref MemoryMarshal.GetReference(second);
        int i = 0;
        for (; i <= first.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Load(ref left, i), out Vector<double> low, out Vector<double> high);
            Vector.Widen(Load(ref right, i), out Vector<double> rightLow, out Vector<double> rightHigh);
            low -= rightLow;
            high -= rightHigh;
            sums += (low * low) + (high * high);
        }

        double sum = Vector.Sum(sums);
        for (; i < first.Length; i++)
        {
            double difference = (double)first[i] - second[i];
            sum += difference * difference;
        }

        return Math.Sqrt(sum / first.Length);
    }

    private static double Corrections(
        ReadOnlySpan<float> values, int first, double mean, double deviation, GaussianQuantiles gaussian)
    {
        double sum = 0;
        for (int k = 0; k < values.Length; k++)
        {
            double z = (values[k] - mean) / deviation;
            sum += Step(z, first + k, gaussian) - OneSided(z, first + k, gaussian);
        }

        return sum;
    }

    /// <summary>The area between the two quantile functions on [i/n, (i+1)/n], i from 0.</summary>
    private static double Step(double z, int i, GaussianQuantiles gaussian)
    {
        double[] quantiles = gaussian.Quantiles, densities = gaussian.Densities;
        if (!(z > quantiles[i] && z < quantiles[i + 1]))
        {
            return OneSided(z, i, gaussian);
        }

        double middle = (2.0 * i + 1) / gaussian.Count;
        return (z * (2 * Normal.CDF(0, 1, z) - middle)) + (2 * Normal.PDF(0, 1, z)) - densities[i] - densities[i + 1];
    }

    private static double OneSided(double z, int i, GaussianQuantiles gaussian) =>
        Math.Abs((z / gaussian.Count) - gaussian.Densities[i] + gaussian.Densities[i + 1]);

    private static bool Crosses(Vector<double> z, ref double quantiles, int i) =>
        (Vector.GreaterThan(z, Load(ref quantiles, i)) & Vector.LessThan(z, Load(ref quantiles, i + 1))) != Vector<long>.Zero;

    private static Vector<float> Load(ref float start, int i) =>
        Unsafe.ReadUnaligned<Vector<float>>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref start, i)));

    private static Vector<double> Load(ref double start, int i) =>
        Unsafe.ReadUnaligned<Vector<double>>(ref Unsafe.As<double, byte>(ref Unsafe.Add(ref start, i)));
}
