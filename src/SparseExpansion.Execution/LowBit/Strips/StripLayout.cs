namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>
/// The order of codes of four bits for products whose lanes are rows, so that nothing is summed across lanes. Sixteen rows
/// are a strip; a strip runs block by block. A block is 64 columns where scales belong to groups of 64, else 128; whole-row scales are
/// repeated in every block. It begins with 16 scales
/// (bfloat16), 16 zero points (bytes) and 16 unused bytes; then follow units of 64 bytes for every 8 columns: byte 4·r + j
/// holds the code of row r and column j in its lower, that of column 4 + j in its upper half.
/// </summary>
/// <param name="Rows">Output features.</param>
/// <param name="Columns">Input features.</param>
/// <param name="BlockColumns">64 or 128.</param>
internal readonly record struct StripLayout(int Rows, int Columns, int BlockColumns)
{
    /// <summary>Rows of a strip.</summary>
    public const int StripRows = 16;

    /// <summary>Columns of a unit.</summary>
    public const int UnitColumns = 8;

    /// <summary>Bytes of a unit.</summary>
    public const int UnitBytes = 64;

    /// <summary>Bytes before the units of a block.</summary>
    public const int HeaderBytes = 64;

    /// <summary>Position of the zero points in a block.</summary>
    public const int ZerosAt = 32;

    /// <summary>The layout for the groups of a grid.</summary>
    public static StripLayout For(PackedGrid grid) => new(grid.Rows, grid.Columns, grid.GroupSize == 64 ? 64 : 128);

    /// <summary>Strips that cover all rows.</summary>
    public int Strips => (Rows + StripRows - 1) / StripRows;

    /// <summary>Blocks that cover all columns.</summary>
    public int Blocks => (Columns + BlockColumns - 1) / BlockColumns;

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes => HeaderBytes + BlockColumns / UnitColumns * UnitBytes;

    /// <summary>Bytes of a strip.</summary>
    public long StripBytes => (long)Blocks * BlockBytes;

    /// <summary>Bytes of all strips.</summary>
    public long Bytes => Strips * StripBytes;
}
