using System.Runtime.InteropServices;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>
/// Writes codes under masks as dense ones, once, for processors to which expanding them with every token costs more than
/// reading them: pruned weights get the zero point, so every weight keeps its value.
/// </summary>
internal static unsafe class DenseCodes
{
    /// <summary>Bits of the dense codes of a weight: narrow codes become those that kernels multiply where they lie.</summary>
    public static int BitsOf(PackedWeight weight) => weight.Bits == 8 ? 8 : 4;

    /// <summary>Bytes of the codes of <see cref="Of"/>.</summary>
    public static long BytesOf(PackedWeight weight) =>
        QuantizedWeight.CodeLength(weight.Rows, weight.Columns, BitsOf(weight));

    /// <summary>The same weight in dense codes.</summary>
    /// <param name="weight">Codes under masks.</param>
    /// <param name="path">Instructions.</param>
    /// <returns>A copy; the caller disposes it.</returns>
    public static QuantizedWeight Of(PackedWeight weight, LowBitPath path)
    {
        PackedGrid grid = weight.Grid ?? throw new ArgumentException("The weight holds values instead of codes.", nameof(weight));
        NativeArray codes = NativeArray.Allocate(BytesOf(weight), ElementType.Byte);
        var dense = new PackedGrid(
            BitsOf(weight), grid.GroupSize, grid.Rows, grid.Columns, Copy(grid.Scales), Copy(grid.Zeros));
        PackedLayout layout = weight.Layout;
        nint stride = layout.PaddedColumns, rowBytes = (nint)CodeBits.BytesOf(weight.Columns, dense.Bits);
        byte* rows = (byte*)NativeMemory.Alloc((nuint)(layout.PanelRows * stride));
        byte* stream = (byte*)NativeMemory.Alloc(CodeStream.ScratchBytes);
        try
        {
            for (int panel = 0; panel < layout.PanelCount; panel++)
            {
                ColumnExpander.ExpandPanel(weight, panel, path, stream, rows, stride);
                for (int row = 0; row < layout.RowsIn(panel); row++)
                {
                    CodePacker.Pack(
                        rows + row * stride, weight.Columns, dense.Bits,
                        codes.Pointer + (panel * layout.PanelRows + row) * rowBytes);
                }
            }
        }
        finally
        {
            NativeMemory.Free(rows);
            NativeMemory.Free(stream);
        }

        new Span<byte>(codes.Pointer + weight.Rows * rowBytes, PackedArrays.CodePadding).Clear();
        GC.KeepAlive(weight);
        return QuantizedWeight.FromArrays(codes, dense);
    }

    private static NativeArray Copy(NativeArray array)
    {
        NativeArray copy = NativeArray.Allocate(array.Length, array.Type);
        Buffer.MemoryCopy(array.Pointer, copy.Pointer, copy.ByteLength, array.ByteLength);
        return copy;
    }
}
