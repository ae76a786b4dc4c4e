namespace SparseExpansion.Execution.Packing;

/// <summary>
/// The order of the weights of a matrix in a packed stream. Rows are cut into panels of <see cref="PanelRows"/>,
/// columns into blocks of <see cref="BlockColumns"/>; the stream runs panel by panel, in a panel block by block, in a
/// block row by row, in a row from left to right. So one pass over a panel reads memory in sequence, and a block of
/// input features stays in the first-level cache.
/// </summary>
/// <param name="Rows">Output features.</param>
/// <param name="Columns">Input features.</param>
/// <param name="BlockColumns">A multiple of 64, at most 256, so that a column index in a block fits a byte.</param>
/// <param name="PanelRows">At most 256, so that a row index in a panel fits a byte.</param>
internal readonly record struct PackedLayout(int Rows, int Columns, int BlockColumns, int PanelRows)
{
    /// <summary>Largest value of <see cref="BlockColumns"/> and <see cref="PanelRows"/>.</summary>
    public const int Limit = 256;

    /// <summary>Columns that one 64-bit mask word covers.</summary>
    public const int MaskColumns = 64;

    /// <summary>Blocks that cover all columns; the last one may reach past the matrix with empty columns.</summary>
    public int BlockCount => (Columns + BlockColumns - 1) / BlockColumns;

    /// <summary>Columns including the empty ones of the last block.</summary>
    public int PaddedColumns => BlockCount * BlockColumns;

    /// <summary>Panels that cover all rows; the last one may be short.</summary>
    public int PanelCount => (Rows + PanelRows - 1) / PanelRows;

    /// <summary>Mask bytes of one row in one block.</summary>
    public int MaskBytes => BlockColumns / 8;

    /// <summary>Pieces of one row in one block, over the whole matrix.</summary>
    public long RowBlockCount => (long)Rows * BlockCount;

    /// <summary>
    /// The default layout of a matrix. Dense blocks are narrower, so that 64 tokens of a block fit the first-level
    /// cache; sparse ones wider, so that a row piece is long enough to be worth starting.
    /// </summary>
    public static PackedLayout For(int rows, int columns, long nonZeros)
    {
        int padded = (columns + MaskColumns - 1) / MaskColumns * MaskColumns;
        bool dense = nonZeros > 0.4 * rows * columns;
        return new PackedLayout(rows, columns, Math.Min(padded, dense ? Limit / 2 : Limit), 128);
    }

    /// <summary>
    /// The layout of a quantized matrix: the fewest empty columns, then the widest blocks, because every row piece
    /// costs a byte. Blocks hold whole groups.
    /// </summary>
    public static PackedLayout ForCodes(int rows, int columns, int? groupSize)
    {
        int step = groupSize ?? MaskColumns;
        int blockColumns = Enumerable.Range(1, Limit / step).Select(count => count * step)
            .OrderBy(width => ((long)columns + width - 1) / width * width).ThenByDescending(width => width).First();
        return new PackedLayout(rows, columns, blockColumns, 128);
    }

    /// <summary>Rows in a panel.</summary>
    public int RowsIn(int panel) => Math.Min(PanelRows, Rows - panel * PanelRows);

    /// <summary>Position in the stream of the first row piece of a panel.</summary>
    public long FirstRowBlock(int panel) => (long)panel * PanelRows * BlockCount;

    /// <summary>True if the numbers describe a matrix that can be packed.</summary>
    public bool IsValid =>
        Rows > 0 && Columns > 0
        && BlockColumns is > 0 and <= Limit && BlockColumns % MaskColumns == 0
        && PanelRows is > 0 and <= Limit
        && PaddedColumns > 0;
}
