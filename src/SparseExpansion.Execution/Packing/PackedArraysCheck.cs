using System.Numerics;

namespace SparseExpansion.Execution.Packing;

/// <summary>Proves that stored arrays form a packed weight, so that kernels need no checks of their own.</summary>
internal static unsafe class PackedArraysCheck
{
    /// <summary>Checks everything and returns the number of values.</summary>
    /// <exception cref="CheckpointException">An array has a wrong dtype or length, or contradicts another
    /// one.</exception>
    public static long NonZeros(PackedArrays arrays)
    {
        PackedLayout layout = arrays.Layout;
        Require(
            layout.IsValid,
            $"a matrix of {arrays.Rows} × {arrays.Columns} in blocks of {arrays.BlockColumns} columns and panels of "
            + $"{arrays.PanelRows} rows is not possible");
        long capacity = CheckValues(arrays);
        RequireArray(arrays.Masks, "masks", ElementType.Byte, null);
        long maskBytes = layout.RowBlockCount * layout.MaskBytes + PackedArrays.MaskPadding;
        Require(arrays.Masks.Length >= maskBytes, $"masks must have {maskBytes} elements, not {arrays.Masks.Length}");
        RequireArray(arrays.RowOrder, "row order", ElementType.Byte, layout.RowBlockCount);
        RequireArray(arrays.PanelOffsets, "panel offsets", ElementType.Int64, layout.PanelCount + 1);
        long nonZeros = CheckPanels(
            layout, arrays.Masks.Pointer, arrays.RowOrder.Pointer,
            (long*)arrays.PanelOffsets.Pointer, capacity);
        GC.KeepAlive(arrays);
        return nonZeros;
    }

    /// <summary>The number of weights that there are values or codes for.</summary>
    private static long CheckValues(PackedArrays arrays)
    {
        if (arrays.Grid is not { } grid)
        {
            Require(
                arrays.Values.Type is ElementType.Float32 or ElementType.BFloat16,
                $"values must be float32 or bfloat16, not {arrays.Values.Type}");
            RequireArray(arrays.Values, "values", arrays.Values.Type, null);
            return arrays.Values.Length - PackedArrays.ValuePadding;
        }

        RequireArray(arrays.Values, "codes", ElementType.Byte, null);
        Require(
            arrays.BlockColumns % (grid.GroupSize ?? 1) == 0,
            $"blocks of {arrays.BlockColumns} columns do not hold whole groups of {grid.GroupSize}");
        Require(
            grid.Columns == arrays.Columns && grid.Rows == arrays.Rows,
            $"the scales are for a matrix of {grid.Rows} × {grid.Columns}, not {arrays.Rows} × {arrays.Columns}");
        CheckZeros(grid);
        return (arrays.Values.Length - PackedArrays.CodePadding) * 8 / grid.Bits;
    }

    /// <summary>Integer kernels multiply zero points in place of pruned weights, in as many bits as codes
    /// have.</summary>
    internal static void CheckZeros(PackedGrid grid)
    {
        long count = grid.Zeros.Length;
        for (long i = 0; i < count; i++)
        {
            int zero = grid.Zeros.Pointer[i];
            if (zero >> grid.Bits != 0)
            {
                throw Damaged($"zero point {zero} is no code of {grid.Bits} bits");
            }
        }

        GC.KeepAlive(grid);
    }

    private static long CheckPanels(PackedLayout layout, byte* masks, byte* rowOrder, long* panelOffsets, long capacity)
    {
        long total = 0;
        byte* seen = stackalloc byte[PackedLayout.Limit];
        for (int panel = 0; panel < layout.PanelCount; panel++)
        {
            Require(
                panelOffsets[panel] == total,
                $"panel {panel} starts at value {panelOffsets[panel]} where the masks say {total}");
            int rows = layout.RowsIn(panel);
            for (int block = 0; block < layout.BlockCount; block++)
            {
                new Span<byte>(seen, PackedLayout.Limit).Clear();
                for (int slot = 0; slot < rows; slot++, rowOrder++)
                {
                    if (*rowOrder >= rows || seen[*rowOrder]++ != 0)
                    {
                        throw Damaged($"the row order of panel {panel}, block {block} is not a permutation");
                    }

                    total += CheckMask(layout, block, masks);
                    masks += layout.MaskBytes;
                }
            }
        }

        Require(
            panelOffsets[layout.PanelCount] == total,
            $"the masks hold {total} values, the panel offsets {panelOffsets[layout.PanelCount]}");
        Require(
            total <= capacity,
            $"the masks ask for {total} values besides the padding; there are {Math.Max(capacity, 0)}");
        return total;
    }

    private static int CheckMask(PackedLayout layout, int block, byte* mask)
    {
        int count = 0;
        for (int column = 0; column < layout.BlockColumns; column += PackedLayout.MaskColumns)
        {
            ulong word = *(ulong*)(mask + column / 8);
            int inside = layout.Columns - block * layout.BlockColumns - column;
            ulong allowed = inside >= PackedLayout.MaskColumns ? ulong.MaxValue : inside <= 0 ? 0 : (1UL << inside) - 1;
            if ((word & ~allowed) != 0)
            {
                throw Damaged($"a mask of block {block} has values beyond column {layout.Columns}");
            }

            count += BitOperations.PopCount(word);
        }

        return count;
    }

    private static void RequireArray(NativeArray array, string name, ElementType dtype, long? length)
    {
        Require(array.Type == dtype, $"{name} must be {dtype}, not {array.Type}");
        Require(length is null || array.Length == length, $"{name} must have {length} elements, not {array.Length}");
        Require(array.Length > 0, $"{name} must not be empty");
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
        {
            throw Damaged(problem);
        }
    }

    /// <summary>Loops throw it themselves: a message for every number would take longer than all checks.</summary>
    private static CheckpointException Damaged(string problem) =>
        new($"The packed weight is damaged: {problem}. Expand the model again or restore the file.");
}
