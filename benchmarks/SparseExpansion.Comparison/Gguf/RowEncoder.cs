using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SparseExpansion.Comparison.Gguf;

/// <summary>Turns rows of weights into the bytes of a <see cref="GgufType"/>.</summary>
internal static class RowEncoder
{
    /// <summary>Bytes of the scale of a block.</summary>
    private const int ScaleBytes = 2;

    /// <summary>Encodes a row.</summary>
    /// <param name="weights">Whole blocks.</param>
    /// <param name="type">The type.</param>
    /// <param name="bytes">As many as the row takes; every one is written.</param>
    public static void Encode(ReadOnlySpan<float> weights, GgufType type, Span<byte> bytes)
    {
        if (type == GgufType.F32)
        {
            MemoryMarshal.AsBytes(weights).CopyTo(bytes);
            return;
        }

        for (int block = 0; block < weights.Length / type.BlockWeights; block++)
        {
            ReadOnlySpan<float> from = weights.Slice(block * type.BlockWeights, type.BlockWeights);
            Span<byte> to = bytes.Slice(block * type.BlockBytes, type.BlockBytes);
            if (type == GgufType.BF16)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(to, BFloat16Bits.Round(from[0]));
            }
            else if (type == GgufType.Q8)
            {
                EncodeBytes(from, to);
            }
            else
            {
                EncodeHalfBytes(from, to);
            }
        }
    }

    /// <summary>Codes from −127 to 127.</summary>
    private static void EncodeBytes(ReadOnlySpan<float> weights, Span<byte> block)
    {
        float scale = MathF.Abs(Extreme(weights)) / 127;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (int i = 0; i < weights.Length; i++)
        {
            block[ScaleBytes + i] = (byte)(sbyte)(scale == 0 ? 0 : MathF.Round(weights[i] / scale));
        }
    }

    /// <summary>Codes from 0 to 15, of which 8 stands for 0 and 0 for the extreme; the first half of the block is in the lower
    /// halves of the bytes.</summary>
    private static void EncodeHalfBytes(ReadOnlySpan<float> weights, Span<byte> block)
    {
        float scale = Extreme(weights) / -8;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        int half = weights.Length / 2;
        for (int i = 0; i < half; i++)
        {
            block[ScaleBytes + i] = (byte)(Code(weights[i]) | (Code(weights[half + i]) << 4));
        }

        int Code(float weight) => scale == 0 ? 8 : Math.Min(15, (int)(weight / scale + 8.5f));
    }

    /// <summary>The weight that is farthest from 0.</summary>
    private static float Extreme(ReadOnlySpan<float> weights)
    {
        float extreme = 0;
        foreach (float weight in weights)
        {
            extreme = MathF.Abs(weight) > MathF.Abs(extreme) ? weight : extreme;
        }

        return extreme;
    }
}
