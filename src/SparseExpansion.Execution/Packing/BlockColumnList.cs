using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Packing;

/// <summary>
/// The columns of the values of one block, for weights that keep no indices: listed into the scratch memory of a worker
/// just before kernels read them, so they stay in the caches and take no memory from one multiplication to the next.
/// </summary>
internal static unsafe class BlockColumnList
{
    /// <summary>Bytes of scratch memory for a block.</summary>
    public static int ScratchBytes(PackedLayout layout) =>
        layout.PanelRows * (sizeof(ushort) + layout.BlockColumns) + ColumnList.Padding;

    /// <summary>Lists the columns of a block and lets it refer to them.</summary>
    /// <param name="block">The block.</param>
    /// <param name="scratch">Memory of <see cref="ScratchBytes"/>.</param>
    /// <param name="wide">True if AVX-512 may be used.</param>
    public static void Fill(ref PanelBlock block, byte* scratch, bool wide)
    {
        block.Counts = (ushort*)scratch;
        block.Indices = (byte*)(block.Counts + block.Rows);
        ColumnList.Of(block.Masks, block.Rows, block.Columns, block.Indices, block.Counts, wide);
    }
}
