using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
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
                WriteUpperHalves(numbers, (ushort*)target);
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
        int i = 0;
        for (; i + Vector128<sbyte>.Count <= numbers.Length; i += Vector128<sbyte>.Count)
        {
            ReadOnlySpan<float> part = numbers.Slice(i, Vector128<sbyte>.Count);
            Vector128.Narrow(
                Vector128.Narrow(Round(part, inverse), Round(part[4..], inverse)),
                Vector128.Narrow(Round(part[8..], inverse), Round(part[12..], inverse))).Store(target + i);
        }

        for (; i < numbers.Length; i++)
        {
            target[i] = (sbyte)MathF.Round(numbers[i] * inverse);
        }

        return scale;
    }

    private static Vector128<int> Round(ReadOnlySpan<float> numbers, float inverse) =>
        Vector128.ConvertToInt32(Vector128.Round(Vector128.Create(numbers) * inverse));

    /// <summary>As <see cref="BFloat16Format.Round"/> does it, four numbers at a time.</summary>
    private static void WriteUpperHalves(ReadOnlySpan<float> numbers, ushort* target)
    {
        int i = 0;
        for (; i + Vector128<ushort>.Count <= numbers.Length; i += Vector128<ushort>.Count)
        {
            Vector128.Narrow(Rounded(numbers[i..]), Rounded(numbers[(i + 4)..])).Store(target + i);
        }

        for (; i < numbers.Length; i++)
        {
            target[i] = BFloat16Format.Round(numbers[i]);
        }
    }

    private static Vector128<uint> Rounded(ReadOnlySpan<float> numbers)
    {
        Vector128<float> values = Vector128.Create(numbers);
        Vector128<uint> bits = values.AsUInt32();
        Vector128<uint> even = (bits >> 16) & Vector128<uint>.One;
        Vector128<uint> rounded = (bits + Vector128.Create(0x7FFFu) + even) >> 16;
        Vector128<uint> quiet = (bits >> 16) | Vector128.Create(0x40u);
        return Vector128.ConditionalSelect(Vector128.Equals(values, values).AsUInt32(), rounded, quiet);
    }
}
