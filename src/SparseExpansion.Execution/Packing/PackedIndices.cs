using System.Numerics;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Execution.Packing;

/// <summary>
/// The arrays that the index kernels read besides the values: one byte of column per value and the number of values in
/// each row piece. Derived from the masks when first needed; costs one byte per non-zero.
/// </summary>
internal sealed unsafe class PackedIndices : IDisposable
{
    private const int Padding = 64;
    private readonly NativeBuffer _columns = new();
    private readonly NativeBuffer _counts = new();

    /// <summary>Reads the masks of a packed weight.</summary>
    public PackedIndices(PackedLayout layout, byte* masks, long nonZeros)
    {
        Columns = _columns.Reserve((nuint)nonZeros + Padding);
        Counts = (ushort*)_counts.Reserve((nuint)layout.RowBlockCount * sizeof(ushort));
        Bytes = nonZeros + Padding + layout.RowBlockCount * sizeof(ushort);
        byte* next = Columns;
        int words = layout.BlockColumns / PackedLayout.MaskColumns;
        for (long piece = 0; piece < layout.RowBlockCount; piece++)
        {
            byte* first = next;
            for (int word = 0; word < words; word++, masks += sizeof(ulong))
            {
                for (ulong mask = *(ulong*)masks; mask != 0; mask &= mask - 1)
                {
                    *next++ = (byte)(word * PackedLayout.MaskColumns + BitOperations.TrailingZeroCount(mask));
                }
            }

            Counts[piece] = (ushort)(next - first);
        }

        new Span<byte>(next, Padding).Clear();
    }

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
