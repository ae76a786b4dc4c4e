using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Avx512;
using SparseExpansion.Execution.Kernels.Portable;

namespace SparseExpansion.Execution.Packing;

/// <summary>
/// Turns the codes of a few row pieces at a time into the float32 values, and the column indices where they are asked
/// for, that kernels read. So every kernel works on quantized weights, memory is read at a few bits a weight, and the
/// rest stays in the caches.
/// </summary>
internal static unsafe class PanelDecoder
{
    /// <summary>
    /// Row pieces decoded for one kernel call: little enough for the first-level cache, beside the tokens.
    /// </summary>
    public const int PiecesForOneTile = 16;

    // Kernels may load a vector of values and look up some columns behind the last one.
    private const int Padding = ColumnList.Padding;

    /// <summary>Bytes of scratch memory for the pieces of a whole block.</summary>
    public static int ScratchBytes(PackedLayout layout) =>
        PieceValues(layout) * (sizeof(float) + 1) + layout.PanelRows * sizeof(ushort);

    /// <summary>The first block of a panel.</summary>
    public static EncodedBlock FirstBlock(PackedWeight weight, int panel)
    {
        PackedLayout layout = weight.Layout;
        long piece = layout.FirstRowBlock(panel);
        int groups = weight.GroupCount;
        return new EncodedBlock
        {
            Codes = weight.Values,
            Position = weight.PanelOffsets[panel],
            Bits = weight.Bits,
            Masks = weight.Masks + piece * layout.MaskBytes,
            RowOrder = weight.RowOrder + piece,
            Rows = layout.RowsIn(panel),
            Columns = layout.BlockColumns,
            Scales = weight.Scales + (long)panel * layout.PanelRows * groups,
            Zeros = weight.Zeros + (long)panel * layout.PanelRows * groups,
            Groups = groups,
            GroupColumns = Math.Min(weight.GroupColumns, layout.BlockColumns),
            BlockGroups = weight.GroupColumns <= layout.BlockColumns ? layout.BlockColumns / weight.GroupColumns : 0,
        };
    }

    /// <summary>Decodes the next row pieces of a block and steps over them.</summary>
    /// <param name="source">The block; moved to the piece after the decoded ones.</param>
    /// <param name="slot">First row piece.</param>
    /// <param name="count">Row pieces.</param>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="scratch">Memory of <see cref="ScratchBytes"/>.</param>
    /// <param name="indices">True if the columns are wanted.</param>
    /// <param name="wide">True if AVX-512 may be used.</param>
    /// <returns>Input of a kernel; it lies in the scratch memory.</returns>
    public static PanelBlock Next(
        ref EncodedBlock source, int slot, int count, PackedLayout layout, byte* scratch, bool indices, bool wide)
    {
        float* values = (float*)scratch;
        ushort* counts = (ushort*)(values + PieceValues(layout));
        byte* columns = (byte*)(counts + layout.PanelRows);
        var block = new PanelBlock
        {
            Values = scratch,
            Masks = source.Masks,
            RowOrder = source.RowOrder + slot,
            Indices = indices ? columns : null,
            Counts = indices ? counts : null,
            Rows = count,
            Columns = source.Columns,
        };
        if (indices)
        {
            ColumnList.Of(source.Masks, count, source.Columns, columns, counts, wide);
        }

        for (int piece = 0; piece < count; piece++)
        {
            values = DecodePiece(ref source, source.RowOrder[slot + piece], values, wide);
            source.Masks += source.Columns / 8;
        }

        new Span<float>(values, Padding).Clear();
        return block;
    }

    /// <summary>Steps from the end of one block to the start of the next.</summary>
    public static void NextBlock(ref EncodedBlock source)
    {
        source.RowOrder += source.Rows;
        source.Scales += source.BlockGroups;
        source.Zeros += source.BlockGroups;
    }

    private static int PieceValues(PackedLayout layout) => layout.PanelRows * layout.BlockColumns + Padding;

    private static float* DecodePiece(ref EncodedBlock source, byte row, float* target, bool wide)
    {
        ushort* scales = source.Scales + (nint)row * source.Groups;
        byte* zeros = source.Zeros + (nint)row * source.Groups;
        int groupBytes = source.GroupColumns / 8;
        byte* end = source.Masks + source.Columns / 8;
        for (byte* masks = source.Masks; masks < end; masks += groupBytes, scales++, zeros++)
        {
            nint count = MaskBits.Count(masks, groupBytes);
            if (count == 0)
            {
                continue; // Groups beyond the last column have no scale.
            }

            float scale = BitConverter.UInt32BitsToSingle((uint)*scales << 16);
            if (wide)
            {
                WideDecoder.Decode(source.Codes, source.Position, source.Bits, count, scale, *zeros, target);
            }
            else
            {
                PortableDecoder.Decode(source.Codes, source.Position, source.Bits, count, scale, *zeros, target);
            }

            source.Position += count;
            target += count;
        }

        return target;
    }
}
