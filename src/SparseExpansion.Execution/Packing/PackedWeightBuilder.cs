using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Packing;

/// <summary>Makes packed weights of dense ones.</summary>
internal static unsafe class PackedWeightBuilder
{
    /// <summary>Packs values.</summary>
    /// <param name="source">[rows, columns], row by row.</param>
    /// <param name="rows">Output features, at least one.</param>
    /// <param name="columns">Input features, at least one.</param>
    /// <param name="type">float32 or bfloat16.</param>
    /// <param name="allocate">Makes the arrays.</param>
    public static PackedWeight Pack(byte* source, int rows, int columns, ElementType type, ArrayAllocator allocate)
    {
        long nonZeros = CountNonZeros(source, rows, columns, type);
        return new PackedWeight(
            PackValues(source, type, PackedLayout.For(rows, columns, nonZeros), nonZeros, allocate), nonZeros);
    }

    /// <summary>Packs values that lie on a grid, as codes; the grid becomes the packed weight's.</summary>
    /// <param name="source">[rows, columns] float32, row by row.</param>
    /// <param name="grid">The grid that they were rounded to.</param>
    /// <param name="allocate">Makes the arrays.</param>
    /// <param name="panelRows">Rows of a panel; null: those of the default layout.</param>
    public static PackedWeight PackCodes(float* source, PackedGrid grid, ArrayAllocator allocate, int? panelRows = null)
    {
        PackedLayout layout = PackedLayout.ForCodes(grid.Rows, grid.Columns, grid.GroupSize);
        layout = layout with { PanelRows = panelRows ?? layout.PanelRows };
        long nonZeros = CountNonZeros((byte*)source, grid.Rows, grid.Columns, ElementType.Float32);
        PackedArrays dense = PackValues((byte*)source, ElementType.Float32, layout, nonZeros, allocate);
        using NativeArray values = dense.Values;
        long bytes = (nonZeros * grid.Bits + 7) / 8 + PackedArrays.CodePadding;
        NativeArray codes = allocate(bytes, ElementType.Byte);
        Clear(codes, bytes);
        var arrays = new PackedArrays(
            dense.Rows, dense.Columns, dense.BlockColumns, dense.PanelRows, codes, dense.Masks, dense.RowOrder,
            dense.PanelOffsets, grid);
        var packed = new PackedWeight(arrays, nonZeros);
        QuantizedPacker.Encode((float*)values.Pointer, packed);
        return packed;
    }

    private static long CountNonZeros(byte* source, int rows, int columns, ElementType type) =>
        type == ElementType.Float32
            ? PackedWeightPacker.CountNonZeros<Float32Format>(source, columns, rows, columns)
            : PackedWeightPacker.CountNonZeros<BFloat16Format>(source, columns, rows, columns);

    private static PackedArrays PackValues(
        byte* source, ElementType type, PackedLayout layout, long nonZeros, ArrayAllocator allocate)
    {
        NativeArray values = Allocate(nonZeros + PackedArrays.ValuePadding, type, PackedArrays.ValuePadding);
        NativeArray masks = Allocate(
            layout.RowBlockCount * layout.MaskBytes + PackedArrays.MaskPadding, ElementType.Byte,
            PackedArrays.MaskPadding);
        NativeArray rowOrder = Allocate(layout.RowBlockCount, ElementType.Byte, 0),
            panelOffsets = Allocate(layout.PanelCount + 1, ElementType.Int64, 0);
        if (type == ElementType.Float32)
        {
            PackedWeightPacker.Pack<Float32Format>(
                source, layout.Columns, layout, values.Pointer, masks.Pointer, rowOrder.Pointer,
                (long*)panelOffsets.Pointer);
        }
        else
        {
            PackedWeightPacker.Pack<BFloat16Format>(
                source, layout.Columns, layout, values.Pointer, masks.Pointer, rowOrder.Pointer,
                (long*)panelOffsets.Pointer);
        }

        return new PackedArrays(
            layout.Rows, layout.Columns, layout.BlockColumns, layout.PanelRows, values, masks, rowOrder, panelOffsets);

        NativeArray Allocate(long length, ElementType elements, int padding)
        {
            NativeArray array = allocate(length, elements);
            Clear(array, padding);
            return array;
        }
    }

    /// <summary>Zeros the last elements.</summary>
    private static void Clear(NativeArray array, long elements)
    {
        long bytes = array.ByteLength / array.Length * elements;
        const int piece = 1 << 30;
        for (long done = 0; done < bytes; done += piece)
        {
            new Span<byte>(array.Pointer + array.ByteLength - bytes + done, (int)Math.Min(piece, bytes - done)).Clear();
        }
    }
}
