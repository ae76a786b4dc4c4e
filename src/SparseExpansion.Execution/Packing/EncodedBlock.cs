namespace SparseExpansion.Execution.Packing;

/// <summary>The position of the decoder of a quantized weight: in a block of a panel.</summary>
internal unsafe struct EncodedBlock
{
    /// <summary>The codes of the whole weight.</summary>
    public byte* Codes;

    /// <summary>The next code, counted from the first.</summary>
    public long Position;

    /// <summary>Bits of a code.</summary>
    public int Bits;

    /// <summary>The masks of the next row piece.</summary>
    public byte* Masks;

    /// <summary>[Rows] row in the panel that each row piece of the block belongs to.</summary>
    public byte* RowOrder;

    /// <summary>Rows of the panel.</summary>
    public int Rows;

    /// <summary>Columns of the block, including empty ones.</summary>
    public int Columns;

    /// <summary>bfloat16 scale of the block's first group in the panel's first row.</summary>
    public ushort* Scales;

    /// <summary>Its zero point.</summary>
    public byte* Zeros;

    /// <summary>Groups from one row to the next.</summary>
    public int Groups;

    /// <summary>Columns of the block that share a scale.</summary>
    public int GroupColumns;

    /// <summary>Groups from one block to the next; 0 where a row is one group.</summary>
    public int BlockGroups;
}
