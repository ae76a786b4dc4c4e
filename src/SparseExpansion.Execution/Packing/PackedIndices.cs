using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Execution.Packing;

/// <summary>
/// The arrays that the index kernels read besides the values: one byte of column per value and the number of values in
/// each row piece. Derived from the masks; costs one byte per non-zero, so weights keep them only where a measurement
/// has shown that they are worth it.
/// </summary>
internal sealed unsafe class PackedIndices : IDisposable
{
    private readonly NativeBuffer _columns = new();
    private readonly NativeBuffer _counts = new();

    /// <summary>Reads the masks of a packed weight.</summary>
    public PackedIndices(PackedLayout layout, byte* masks, long nonZeros)
    {
        Columns = _columns.Reserve((nuint)nonZeros + ColumnList.Padding);
        Counts = (ushort*)_counts.Reserve((nuint)layout.RowBlockCount * sizeof(ushort));
        Bytes = BytesOf(layout, nonZeros);
        ColumnList.Of(
            masks, layout.RowBlockCount, layout.BlockColumns, Columns, Counts,
            InstructionSets.IsSupported(InstructionSet.Avx512));
    }

    /// <summary>Bytes that the indices of a weight take.</summary>
    public static long BytesOf(PackedLayout layout, long nonZeros) =>
        nonZeros + ColumnList.Padding + layout.RowBlockCount * sizeof(ushort);

    /// <summary>[non-zeros + padding] column in its block.</summary>
    public byte* Columns { get; }

    /// <summary>[row pieces] number of values.</summary>
    public ushort* Counts { get; }

    /// <summary>Memory used.</summary>
    public long Bytes { get; }

    /// <summary>True if these are the indices of the masks.</summary>
    public bool Fit(PackedLayout layout, byte* masks, long nonZeros)
    {
        using var others = new PackedIndices(layout, masks, nonZeros);
        return Bytes == others.Bytes && Same(Columns, others.Columns, nonZeros)
            && Same(Counts, others.Counts, layout.RowBlockCount * sizeof(ushort));
    }

    private static bool Same(void* one, void* other, long bytes)
    {
        const int Piece = 1 << 30;
        for (long done = 0; done < bytes; done += Piece)
        {
            int count = (int)Math.Min(Piece, bytes - done);
            if (!new ReadOnlySpan<byte>((byte*)one + done, count)
                .SequenceEqual(new ReadOnlySpan<byte>((byte*)other + done, count)))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _columns.Dispose();
        _counts.Dispose();
    }
}
