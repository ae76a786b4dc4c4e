using System.Numerics;
using System.Numerics.Tensors;

namespace SparseExpansion.Inference.Vectors;

/// <summary>Norms of rows, the sums in float64.</summary>
internal static class Norms
{
    /// <summary>target = (center + weight) · source / sqrt(mean(source²) + epsilon); target may be source.</summary>
    /// <param name="source">[features].</param>
    /// <param name="weight">[features]; empty: none, as if it were all 1 − center.</param>
    /// <param name="epsilon">Added to the mean.</param>
    /// <param name="center">0, or 1 where weights are stored as their distance from 1.</param>
    /// <param name="target">[features].</param>
    public static void Rms(
        ReadOnlySpan<float> source, ReadOnlySpan<float> weight, double epsilon, float center, Span<float> target)
    {
        float factor = (float)(1 / Math.Sqrt((SumOfSquares(source, 0) / source.Length) + epsilon));
        Apply(source, 0, factor, weight, center, [], target);
    }

    /// <summary>target = weight · (source − mean) / sqrt(variance + epsilon) + bias; target may be source.</summary>
    /// <param name="source">[features].</param>
    /// <param name="weight">[features]; empty: none.</param>
    /// <param name="bias">[features]; empty: none.</param>
    /// <param name="epsilon">Added to the variance, which is the mean of squares.</param>
    /// <param name="target">[features].</param>
    public static void Layer(
        ReadOnlySpan<float> source, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, double epsilon,
        Span<float> target)
    {
        float mean = (float)(Sum(source) / source.Length);
        float factor = (float)(1 / Math.Sqrt((SumOfSquares(source, mean) / source.Length) + epsilon));
        Apply(source, mean, factor, weight, 0, bias, target);
    }

    private static void Apply(
        ReadOnlySpan<float> source, float mean, float factor, ReadOnlySpan<float> weight, float center,
        ReadOnlySpan<float> bias, Span<float> target)
    {
        target = target[..source.Length];
        if (mean != 0)
        {
            TensorPrimitives.Subtract(source, mean, target);
            source = target;
        }

        TensorPrimitives.Multiply(source, factor, target);
        if (!weight.IsEmpty)
        {
            // (c + w) · x as (x · w) + (c · x) would round twice more.
            if (center == 0)
            {
                TensorPrimitives.Multiply(target, weight, target);
            }
            else
            {
                AroundCenter(target, weight, center);
            }
        }

        if (!bias.IsEmpty)
        {
            TensorPrimitives.Add(target, bias, target);
        }
    }

    private static void AroundCenter(Span<float> target, ReadOnlySpan<float> weight, float center)
    {
        weight = weight[..target.Length];
        for (int i = 0; i < target.Length; i++)
        {
            target[i] *= center + weight[i];
        }
    }

    private static double Sum(ReadOnlySpan<float> numbers)
    {
        Vector<double> low = Vector<double>.Zero, high = Vector<double>.Zero;
        int i = 0;
        for (; i + Vector<float>.Count <= numbers.Length; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(numbers[i..]), out Vector<double> first, out Vector<double> second);
            low += first;
            high += second;
        }

        double sum = Vector.Sum(low + high);
        for (; i < numbers.Length; i++)
        {
            sum += numbers[i];
        }

        return sum;
    }

    private static double SumOfSquares(ReadOnlySpan<float> numbers, double mean)
    {
        Vector<double> low = Vector<double>.Zero, high = Vector<double>.Zero, center = new(mean);
        int i = 0;
        for (; i + Vector<float>.Count <= numbers.Length; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(numbers[i..]), out Vector<double> first, out Vector<double> second);
            first -= center;
            second -= center;
            low += first * first;
            high += second * second;
        }

        double sum = Vector.Sum(low + high);
        for (; i < numbers.Length; i++)
        {
            sum += (numbers[i] - mean) * (numbers[i] - mean);
        }

        return sum;
    }
}
