using System.Runtime.InteropServices;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Rearranges stored weights. Pruned weights get the zero point, so that every weight keeps its value.</summary>
internal static unsafe class StripPacker
{
    /// <summary>Most bits of a code.</summary>
    public const int MostBits = 4;

    /// <summary>Rearranges codes under masks.</summary>
    /// <param name="weight">Codes of <see cref="MostBits"/> at most.</param>
    /// <param name="path">Instructions.</param>
    /// <returns>A copy; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The weight has no such codes.</exception>
    public static StripWeight Of(PackedWeight weight, LowBitPath path)
    {
        PackedGrid grid = RequireCodes(weight.Grid, nameof(weight));
        PackedLayout layout = weight.Layout;
        nint stride = Padded(layout.PaddedColumns);
        byte* stream = (byte*)NativeMemory.Alloc(CodeStream.ScratchBytes);
        try
        {
            StripWeight made = Fill(grid, layout.PanelRows, stride, (panel, rows) =>
                ColumnExpander.ExpandPanel(weight, panel, path, stream, rows, stride));
            GC.KeepAlive(weight);
            return made;
        }
        finally
        {
            NativeMemory.Free(stream);
        }
    }

    /// <summary>Rearranges dense codes.</summary>
    /// <param name="weight">Codes of <see cref="MostBits"/> at most.</param>
    /// <param name="path">Instructions.</param>
    /// <returns>A copy; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The weight has no such codes.</exception>
    public static StripWeight Of(QuantizedWeight weight, LowBitPath path)
    {
        PackedGrid grid = RequireCodes(weight.Grid, nameof(weight));
        nint stride = Padded(weight.Columns) + 2 * CodeUnpacker.Slack;
        StripWeight made = Fill(grid, StripLayout.StripRows, stride, (strip, rows) =>
        {
            int first = strip * StripLayout.StripRows, count = Math.Min(StripLayout.StripRows, weight.Rows - first);
            for (int row = 0; row < count; row++)
            {
                byte* to = rows + row * stride;
                byte* from = CodeUnpacker.Unpack(
                    weight.Codes.Pointer + (first + row) * weight.RowBytes, 0, weight.Columns, weight.Bits, path, to);
                Buffer.MemoryCopy(from, to, stride, weight.Columns);
            }
        });
        GC.KeepAlive(weight);
        return made;
    }

    private static PackedGrid RequireCodes(PackedGrid? grid, string name) => grid is { Bits: <= MostBits }
        ? grid
        : throw new ArgumentException($"The weight has no codes of up to {MostBits} bits.", name);

    private static nint Padded(int columns) => (columns + 127) / 128 * 128;

    private delegate void Unpack(int panel, byte* rows);

    /// <summary>Strips from panels of rows with a byte a code.</summary>
    private static StripWeight Fill(PackedGrid grid, int panelRows, nint stride, Unpack unpack)
    {
        StripLayout layout = StripLayout.For(grid);
        NativeArray data = NativeArray.Allocate(layout.Bytes, ElementType.Byte);
        var made = new StripWeight(layout, data);
        byte* rows = (byte*)NativeMemory.AllocZeroed((nuint)((panelRows + StripLayout.StripRows) * stride));
        try
        {
            // Rows of a panel that do not fill a strip wait for those of the next one.
            int waiting = 0, firstRow = 0;
            for (int first = 0; first < grid.Rows; first += panelRows)
            {
                unpack(first / panelRows, rows + waiting * stride);
                int have = waiting + Math.Min(panelRows, grid.Rows - first), row = 0;
                bool isLast = first + panelRows >= grid.Rows;
                for (; row + StripLayout.StripRows <= have || (isLast && row < have); row += StripLayout.StripRows, firstRow += StripLayout.StripRows)
                {
                    FillStrip(grid, layout, firstRow, rows + row * stride, stride, made.Strip(firstRow / StripLayout.StripRows));
                }

                waiting = Math.Max(0, have - row);
                Buffer.MemoryCopy(rows + row * stride, rows, waiting * stride, waiting * stride);
            }

            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
        finally
        {
            NativeMemory.Free(rows);
        }
    }

    private static void FillStrip(PackedGrid grid, StripLayout layout, int firstRow, byte* rows, nint stride, byte* target)
    {
        int inside = Math.Min(StripLayout.StripRows, grid.Rows - firstRow);
        for (int block = 0; block < layout.Blocks; block++, target += layout.BlockBytes)
        {
            FillHeader(grid, block * layout.BlockColumns, firstRow, inside, target);
            for (int row = 0; row < StripLayout.StripRows; row++)
            {
                // A row that does not exist repeats the last one; its scale is 0.
                byte* from = rows + Math.Min(row, inside - 1) * stride + block * layout.BlockColumns;
                FillRow(from, layout.BlockColumns, target + StripLayout.HeaderBytes + 4 * row);
            }
        }
    }

    private static void FillRow(byte* from, int columns, byte* unit)
    {
        for (byte* end = from + columns; from < end; from += StripLayout.UnitColumns, unit += StripLayout.UnitBytes)
        {
            ulong eight = *(ulong*)from;
            *(uint*)unit = (uint)(eight | (eight >> 28));
        }
    }

    private static void FillHeader(PackedGrid grid, int column, int firstRow, int inside, byte* target)
    {
        new Span<byte>(target, StripLayout.HeaderBytes).Clear();
        int group = grid.GroupSize is { } size ? column / size : 0;
        for (int row = 0; row < inside; row++)
        {
            long index = (long)(firstRow + row) * grid.GroupCount + group;
            ((ushort*)target)[row] = ((ushort*)grid.Scales.Pointer)[index];
            target[StripLayout.ZerosAt + row] = grid.Zeros.Pointer[index];
        }
    }
}
