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

    // Four sums each: the additions need not wait for each other.
    private static double Sum(ReadOnlySpan<float> numbers)
    {
        double a = 0, b = 0, c = 0, d = 0;
        int i = 0;
        for (; i + 4 <= numbers.Length; i += 4)
        {
            a += numbers[i];
            b += numbers[i + 1];
            c += numbers[i + 2];
            d += numbers[i + 3];
        }

        for (; i < numbers.Length; i++)
        {
            a += numbers[i];
        }

        return a + b + (c + d);
    }

    private static double SumOfSquares(ReadOnlySpan<float> numbers, double mean)
    {
        double a = 0, b = 0, c = 0, d = 0;
        int i = 0;
        for (; i + 4 <= numbers.Length; i += 4)
        {
            a += (numbers[i] - mean) * (numbers[i] - mean);
            b += (numbers[i + 1] - mean) * (numbers[i + 1] - mean);
            c += (numbers[i + 2] - mean) * (numbers[i + 2] - mean);
            d += (numbers[i + 3] - mean) * (numbers[i + 3] - mean);
        }

        for (; i < numbers.Length; i++)
        {
            a += (numbers[i] - mean) * (numbers[i] - mean);
        }

        return a + b + (c + d);
    }
}
