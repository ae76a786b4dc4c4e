namespace SparseExpansion.Execution.Kernels;

/// <summary>One block of one panel, as raw memory: the operand of a kernel call.</summary>
internal unsafe struct PanelBlock
{
    /// <summary>The first value.</summary>
    public byte* Values;

    /// <summary>[Rows, Columns / 8] bits, one per weight, lowest bit first.</summary>
    public byte* Masks;

    /// <summary>One column index per value; null where the kernel reads masks.</summary>
    public byte* Indices;

    /// <summary>[Rows] values in each row piece; null where the kernel reads masks.</summary>
    public ushort* Counts;

    /// <summary>[Rows] row in the panel that each row piece belongs to.</summary>
    public byte* RowOrder;

    /// <summary>Rows of the panel.</summary>
    public int Rows;

    /// <summary>Columns of the block, including empty ones.</summary>
    public int Columns;
}
