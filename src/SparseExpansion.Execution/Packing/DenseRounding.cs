using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Avx512;
using SparseExpansion.Execution.Kernels.Portable;

namespace SparseExpansion.Execution.Packing;

/// <summary>Rounds dense rows to codes and back.</summary>
internal static unsafe class DenseRounding
{
    /// <summary>Fills scales, zero points and codes.</summary>
    /// <exception cref="ArgumentException">A weight is not finite.</exception>
    public static void Round(ReadOnlySpan<float> weight, QuantizedWeight target)
    {
        PackedGrid grid = target.Grid;
        new Span<byte>(target.Codes.Pointer, checked((int)target.Codes.ByteLength)).Clear();
        int width = grid.GroupSize ?? target.Columns;
        for (int row = 0; row < target.Rows; row++)
        {
            for (int group = 0; group < grid.GroupCount; group++)
            {
                int first = group * width, count = Math.Min(width, target.Columns - first);
                RoundGroup(weight.Slice(row * target.Columns + first, count), target, row, group, first);
            }
        }
    }

    /// <summary>Writes the values of a row.</summary>
    public static void DecodeRow(QuantizedWeight weight, int row, Span<float> values)
    {
        PackedGrid grid = weight.Grid;
        int width = grid.GroupSize ?? weight.Columns;
        byte* codes = weight.Codes.Pointer + row * weight.RowBytes;
        bool wide = InstructionSets.Best == InstructionSet.Avx512;
        float* piece = stackalloc float[PieceColumns];
        for (int first = 0; first < weight.Columns; first += PieceColumns)
        {
            int count = Math.Min(PieceColumns, weight.Columns - first);
            long index = (long)row * grid.GroupCount + first / width;
            float scale = Scale(grid, index);
            if (wide)
            {
                WideDecoder.Decode(codes, first, weight.Bits, count, scale, grid.Zeros.Pointer[index], piece);
            }
            else
            {
                PortableDecoder.Decode(codes, first, weight.Bits, count, scale, grid.Zeros.Pointer[index], piece);
            }

            new Span<float>(piece, count).CopyTo(values[first..]);
        }
    }

    // Divides every group, and is a whole number of vectors.
    private const int PieceColumns = 64;

    private static void RoundGroup(ReadOnlySpan<float> weights, QuantizedWeight target, int row, int group, int first)
    {
        float minimum = 0, maximum = 0;
        foreach (float weight in weights)
        {
            if (!float.IsFinite(weight))
            {
                throw new ArgumentException($"Row {row} has a weight that is not finite ({weight}).", nameof(weights));
            }

            minimum = Math.Min(minimum, weight);
            maximum = Math.Max(maximum, weight);
        }

        PackedGrid grid = target.Grid;
        int largest = (1 << grid.Bits) - 1;
        long index = (long)row * grid.GroupCount + group;
        ushort bits = BFloat16Format.Round((maximum - minimum) / largest);
        ((ushort*)grid.Scales.Pointer)[index] = bits == 0 ? BFloat16Format.Round(1) : bits;
        float scale = Scale(grid, index);
        int zero = (int)Math.Clamp(MathF.Round(-minimum / scale), 0, largest);
        grid.Zeros.Pointer[index] = (byte)zero;
        byte* codes = target.Codes.Pointer + row * target.RowBytes;
        for (int i = 0; i < weights.Length; i++)
        {
            int code = (int)Math.Clamp(MathF.Round(weights[i] / scale) + zero, 0, largest);
            CodeBits.Set(codes, first + i, grid.Bits, code);
        }
    }

    private static float Scale(PackedGrid grid, long index) =>
        BitConverter.UInt32BitsToSingle((uint)((ushort*)grid.Scales.Pointer)[index] << 16);
}
