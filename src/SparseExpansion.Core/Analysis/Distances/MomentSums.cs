using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SparseExpansion.Analysis.Distances;

/// <summary>The sums that <see cref="Moments"/> are made of, in double precision, by vectors.</summary>
internal static class MomentSums
{
    /// <summary>The sum of all values.</summary>
    public static double Sum(ReadOnlySpan<float> values)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        Vector<double> lowSum = Vector<double>.Zero, highSum = Vector<double>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(
                Unsafe.ReadUnaligned<Vector<float>>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref start, i))),
                out Vector<double> low, out Vector<double> high);
            lowSum += low;
            highSum += high;
        }

        double sum = Vector.Sum(lowSum + highSum);
        for (; i < values.Length; i++)
        {
            sum += values[i];
        }

        return sum;
    }

    /// <summary>Sums of the second to fourth powers of the deviations from the mean.</summary>
    public static (double Second, double Third, double Fourth) DeviationPowers(ReadOnlySpan<float> values, double mean)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        var center = new Vector<double>(mean);
        Vector<double> seconds = Vector<double>.Zero, thirds = Vector<double>.Zero, fourths = Vector<double>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(
                Unsafe.ReadUnaligned<Vector<float>>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref start, i))),
                out Vector<double> low, out Vector<double> high);
            low -= center;
            high -= center;
            Vector<double> lowSquare = low * low, highSquare = high * high;
            seconds += lowSquare + highSquare;
            thirds += (lowSquare * low) + (highSquare * high);
            fourths += (lowSquare * lowSquare) + (highSquare * highSquare);
        }

        double second = Vector.Sum(seconds), third = Vector.Sum(thirds), fourth = Vector.Sum(fourths);
        for (; i < values.Length; i++)
        {
            double deviation = values[i] - mean, square = deviation * deviation;
            second += square;
            third += square * deviation;
            fourth += square * square;
        }

        return (second, third, fourth);
    }
}
