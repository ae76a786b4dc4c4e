using System.Numerics.Tensors;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Inference.Caching;

/// <summary>Numbers of a head on their way into a page.</summary>
internal static unsafe class CacheNumbers
{
    private const float LargestCode = 127;

    // Its inverse is finite.
    private const float SmallestScale = 1e-37f;

    /// <summary>Writes the numbers of one token and head.</summary>
    /// <param name="layout">Form of the page.</param>
    /// <param name="source">[features].</param>
    /// <param name="target">Their place in the page.</param>
    /// <param name="scale">Receives the scale where the format has one; else not written.</param>
    public static void Write(in PageLayout layout, float* source, byte* target, float* scale)
    {
        var numbers = new ReadOnlySpan<float>(source, layout.Features);
        switch (layout.Format)
        {
            case CacheFormat.Float32:
                numbers.CopyTo(new Span<float>(target, layout.Features));
                break;
            case CacheFormat.BFloat16:
                for (int i = 0; i < numbers.Length; i++)
                {
                    ((ushort*)target)[i] = BFloat16Format.Round(numbers[i]);
                }

                break;
            default:
                *scale = WriteCodes(numbers, (sbyte*)target);
                break;
        }
    }

    /// <summary>Writes bytes round(x / s) with s = max |x| / 127; returns s.</summary>
    private static float WriteCodes(ReadOnlySpan<float> numbers, sbyte* target)
    {
        float largest = Math.Abs(TensorPrimitives.MaxMagnitude(numbers));

        // What is not finite must not come back as something finite: the scale carries it to every number of the head.
        if (!float.IsFinite(largest))
        {
            new Span<sbyte>(target, numbers.Length).Fill(1);
            return float.NaN;
        }

        float scale = largest / LargestCode;

        // A head so small that its scale has no inverse is zero for every purpose.
        float inverse = scale < SmallestScale ? 0 : 1 / scale;
        for (int i = 0; i < numbers.Length; i++)
        {
            target[i] = (sbyte)MathF.Round(numbers[i] * inverse);
        }

        return scale;
    }
}
