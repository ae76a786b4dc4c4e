namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Single codes of a block.</summary>
internal static unsafe class StripCodes
{
    /// <summary>Reads a code.</summary>
    /// <param name="block">The block, with its scales.</param>
    /// <param name="lane">Row in the strip.</param>
    /// <param name="column">Column in the block.</param>
    public static int Get(byte* block, int lane, int column)
    {
        int inside = column % StripLayout.UnitColumns;
        byte pair = block[StripLayout.HeaderBytes + column / StripLayout.UnitColumns * StripLayout.UnitBytes + 4 * lane + inside % 4];
        return inside < 4 ? pair & 15 : pair >> 4;
    }
}
