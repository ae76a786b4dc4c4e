using System.Runtime.InteropServices;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Avx512;
using SparseExpansion.Execution.Kernels.Portable;

namespace SparseExpansion.Execution.Packing;

/// <summary>Rounds dense rows to codes and back.</summary>
internal static unsafe class DenseRounding
{
    /// <summary>Scales and zero points of the range of each group, 0 in it.</summary>
    /// <param name="weight">[rows, columns].</param>
    /// <param name="grid">Takes them.</param>
    /// <exception cref="ArgumentException">A weight is not finite.</exception>
    public static void Fit(ReadOnlySpan<float> weight, PackedGrid grid)
    {
        int width = grid.GroupSize ?? grid.Columns;
        for (int row = 0; row < grid.Rows; row++)
        {
            for (int group = 0; group < grid.GroupCount; group++)
            {
                int first = group * width, count = Math.Min(width, grid.Columns - first);
                FitGroup(weight.Slice(row * grid.Columns + first, count), grid, row, group);
            }
        }
    }

    /// <summary>Fills the codes of the nearest values.</summary>
    /// <param name="weight">[rows, columns].</param>
    /// <param name="target">Has the grid, and takes the codes.</param>
    public static void Encode(ReadOnlySpan<float> weight, QuantizedWeight target)
    {
        PackedGrid grid = target.Grid;
        NativeMemory.Clear(target.Codes.Pointer, (nuint)target.Codes.ByteLength);
        int width = grid.GroupSize ?? target.Columns, largest = (1 << grid.Bits) - 1;
        for (int row = 0; row < target.Rows; row++)
        {
            byte* codes = target.Codes.Pointer + row * target.RowBytes;
            ReadOnlySpan<float> weights = weight.Slice(row * target.Columns, target.Columns);
            for (int column = 0; column < weights.Length; column++)
            {
                long index = (long)row * grid.GroupCount + column / width;
                float code = MathF.Round(weights[column] / Scale(grid, index)) + grid.Zeros.Pointer[index];
                CodeBits.Set(codes, column, grid.Bits, (int)Math.Clamp(code, 0, largest));
            }
        }

        GC.KeepAlive(target);
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

    private static void FitGroup(ReadOnlySpan<float> weights, PackedGrid grid, int row, int group)
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

        int largest = (1 << grid.Bits) - 1;
        long index = (long)row * grid.GroupCount + group;
        ushort bits = BFloat16Format.Round((maximum - minimum) / largest);
        ((ushort*)grid.Scales.Pointer)[index] = bits == 0 ? BFloat16Format.Round(1) : bits;
        grid.Zeros.Pointer[index] = (byte)Math.Clamp(MathF.Round(-minimum / Scale(grid, index)), 0, largest);
    }

    private static float Scale(PackedGrid grid, long index) =>
        BFloat16Format.Load(grid.Scales.Pointer, (nint)index);
}
