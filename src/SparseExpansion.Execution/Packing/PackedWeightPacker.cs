using System.Numerics;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Avx512;

namespace SparseExpansion.Execution.Packing;

/// <summary>Packs dense row-major memory into the stream of <see cref="PackedArrays"/> and back, bit by bit.</summary>
internal static unsafe class PackedWeightPacker
{
    /// <summary>Number of values that are neither +0 nor −0.</summary>
    public static long CountNonZeros<TFormat>(byte* dense, long rowStride, int rows, int columns)
        where TFormat : IWeightFormat
    {
        long count = 0;
        for (int row = 0; row < rows; row++)
        {
            byte* source = dense + row * rowStride * TFormat.Size;
            for (int column = 0; column < columns; column += PackedLayout.MaskColumns)
            {
                count += BitOperations.PopCount(MaskWord<TFormat>(source, column, columns));
            }
        }

        return count;
    }

    /// <summary>Fills the arrays of a packed weight.</summary>
    public static void Pack<TFormat>(
        byte* dense, long rowStride, PackedLayout layout, byte* values, byte* masks, byte* rowOrder, long* panelOffsets)
        where TFormat : IWeightFormat
    {
        int words = layout.BlockColumns / PackedLayout.MaskColumns;
        ulong* blockMasks = stackalloc ulong[layout.PanelRows * words];
        int* counts = stackalloc int[layout.PanelRows];
        long written = 0;
        for (int panel = 0; panel < layout.PanelCount; panel++)
        {
            panelOffsets[panel] = written;
            int rows = layout.RowsIn(panel);
            byte* panelRows = dense + (long)panel * layout.PanelRows * rowStride * TFormat.Size;
            for (int block = 0; block < layout.BlockCount; block++)
            {
                int firstColumn = block * layout.BlockColumns;
                for (int row = 0; row < rows; row++)
                {
                    counts[row] = ReadMasks<TFormat>(
                        panelRows + row * rowStride * TFormat.Size, firstColumn, layout.Columns,
                        blockMasks + row * words, words);
                }

                SortByCount(counts, rows, rowOrder);
                for (int slot = 0; slot < rows; slot++)
                {
                    int row = rowOrder[slot];
                    for (int word = 0; word < words; word++)
                    {
                        ulong mask = blockMasks[row * words + word];
                        ((ulong*)masks)[slot * words + word] = mask;
                        byte* source = panelRows
                            + (row * rowStride + firstColumn + word * PackedLayout.MaskColumns) * TFormat.Size;
                        for (; mask != 0; mask &= mask - 1)
                        {
                            TFormat.Copy(source, BitOperations.TrailingZeroCount(mask), values, (nint)written++);
                        }
                    }
                }

                masks += rows * layout.MaskBytes;
                rowOrder += rows;
            }
        }

        panelOffsets[layout.PanelCount] = written;
    }

    /// <summary>Writes the rows of one panel to dense memory; every element is written, pruned ones as +0.</summary>
    /// <param name="wide">True if AVX-512 may be used.</param>
    public static void UnpackPanel<TFormat>(
        PackedLayout layout, int panel, byte* values, byte* masks, byte* rowOrder, byte* dense, long rowStride,
        bool wide)
        where TFormat : IWeightFormat
    {
        var block = new PanelBlock
        {
            Values = values,
            Masks = masks,
            RowOrder = rowOrder,
            Rows = layout.RowsIn(panel),
            Columns = layout.BlockColumns,
        };
        for (int b = 0; b < layout.BlockCount; b++)
        {
            block.Values += TFormat.Size * UnpackBlock<TFormat>(layout, b, &block, dense, rowStride, wide);
            block.Masks += block.Rows * layout.MaskBytes;
            block.RowOrder += block.Rows;
        }
    }

    /// <summary>Writes one block of a panel to dense memory; returns the number of values read.</summary>
    public static nint UnpackBlock<TFormat>(
        PackedLayout layout, int index, PanelBlock* block, byte* dense, long rowStride, bool wide)
        where TFormat : IWeightFormat
    {
        int firstColumn = index * layout.BlockColumns;
        int columns = Math.Min(layout.BlockColumns, layout.Columns - firstColumn);
        byte* target = dense + (long)firstColumn * TFormat.Size;
        return wide && columns % PackedLayout.MaskColumns == 0
            ? UnpackWide<TFormat>(block, target, rowStride, columns)
            : UnpackRows<TFormat>(block, target, rowStride, columns);
    }

    private static nint UnpackWide<TFormat>(PanelBlock* block, byte* target, long rowStride, int columns)
        where TFormat : IWeightFormat =>
        TFormat.Size == sizeof(float)
            ? Avx512UnpackKernel.Float32(block, (float*)target, (nint)rowStride, columns)
            : Avx512UnpackKernel.BFloat16(block, (ushort*)target, (nint)rowStride, columns);

    private static nint UnpackRows<TFormat>(PanelBlock* block, byte* target, long rowStride, int columns)
        where TFormat : IWeightFormat
    {
        nint read = 0;
        for (int slot = 0; slot < block->Rows; slot++)
        {
            byte* row = target + block->RowOrder[slot] * rowStride * TFormat.Size;
            read += UnpackRow<TFormat>(
                block->Values + read * TFormat.Size, (ulong*)(block->Masks + slot * (block->Columns / 8)), row,
                columns);
        }

        return read;
    }

    private static nint UnpackRow<TFormat>(byte* values, ulong* masks, byte* target, int columns)
        where TFormat : IWeightFormat
    {
        new Span<byte>(target, columns * TFormat.Size).Clear();
        nint read = 0;
        for (int column = 0; column < columns; column += PackedLayout.MaskColumns)
        {
            for (ulong mask = *masks++; mask != 0; mask &= mask - 1)
            {
                TFormat.Copy(values, read++, target, column + BitOperations.TrailingZeroCount(mask));
            }
        }

        return read;
    }

    private static int ReadMasks<TFormat>(byte* row, int firstColumn, int columns, ulong* masks, int words)
        where TFormat : IWeightFormat
    {
        int count = 0;
        for (int word = 0; word < words; word++)
        {
            masks[word] = MaskWord<TFormat>(row, firstColumn + word * PackedLayout.MaskColumns, columns);
            count += BitOperations.PopCount(masks[word]);
        }

        return count;
    }

    private static ulong MaskWord<TFormat>(byte* row, int column, int columns)
        where TFormat : IWeightFormat
    {
        if (column + PackedLayout.MaskColumns <= columns)
        {
            return TFormat.NonZeroMask64(row + (nint)column * TFormat.Size);
        }

        ulong mask = 0;
        for (int i = 0; column + i < columns; i++)
        {
            mask |= TFormat.IsNonZero(row, column + i) ? 1UL << i : 0;
        }

        return mask;
    }

    /// <summary>Stable counting sort of row numbers by their number of values.</summary>
    private static void SortByCount(int* counts, int rows, byte* order)
    {
        int* next = stackalloc int[PackedLayout.Limit + 2];
        new Span<int>(next, PackedLayout.Limit + 2).Clear();
        for (int row = 0; row < rows; row++)
        {
            next[counts[row] + 1]++;
        }

        for (int count = 1; count <= PackedLayout.Limit; count++)
        {
            next[count] += next[count - 1];
        }

        for (int row = 0; row < rows; row++)
        {
            order[next[counts[row]]++] = (byte)row;
        }
    }
}
