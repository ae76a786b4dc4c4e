using System.Runtime.InteropServices;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>
/// Writes codes of eight bits under masks as dense ones, once, for processors to which expanding them with every token
/// costs more than reading them: pruned weights get the zero point, so every weight keeps its value.
/// </summary>
internal static unsafe class DenseCodes
{
    /// <summary>The same weight in dense codes.</summary>
    /// <param name="weight">Codes of eight bits under masks.</param>
    /// <param name="path">Instructions.</param>
    /// <returns>A copy; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The weight has no such codes.</exception>
    public static QuantizedWeight Of(PackedWeight weight, LowBitPath path)
    {
        if (weight.Grid is not { Bits: 8 } grid)
        {
            throw new ArgumentException("The weight has no codes of eight bits.", nameof(weight));
        }

        NativeArray target = NativeArray.Allocate(
            QuantizedWeight.CodeLength(weight.Rows, weight.Columns, grid.Bits), ElementType.Byte);
        target.Span<byte>(target.Length - PackedArrays.CodePadding, PackedArrays.CodePadding).Clear();
        var dense = new PackedGrid(
            grid.Bits, grid.GroupSize, grid.Rows, grid.Columns, grid.Scales.Copy(), grid.Zeros.Copy());
        try
        {
            Fill(weight, path, target.Pointer);
            GC.KeepAlive(weight);
            return QuantizedWeight.FromArrays(target, dense);
        }
        catch
        {
            target.Dispose();
            dense.Dispose();
            throw;
        }
    }

    private static void Fill(PackedWeight weight, LowBitPath path, byte* target)
    {
        PackedLayout layout = weight.Layout;
        nint stride = layout.PaddedColumns;
        byte* rows = (byte*)NativeMemory.Alloc((nuint)(layout.PanelRows * stride));
        byte* stream = (byte*)NativeMemory.Alloc(CodeStream.ScratchBytes);
        try
        {
            for (int panel = 0; panel < layout.PanelCount; panel++)
            {
                ColumnExpander.ExpandPanel(weight, panel, path, stream, rows, stride);
                for (int row = 0; row < layout.RowsIn(panel); row++, target += weight.Columns)
                {
                    Buffer.MemoryCopy(rows + row * stride, target, weight.Columns, weight.Columns);
                }
            }
        }
        finally
        {
            NativeMemory.Free(rows);
            NativeMemory.Free(stream);
        }
    }
}
