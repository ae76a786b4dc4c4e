namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// The layout of a tile of tokens for a kernel. All values are float32; empty columns and unused lanes are zero.
/// </summary>
internal enum TileLayout
{
    /// <summary>[block][lane][column of the block].</summary>
    TokenMajor,

    /// <summary>[column][lane].</summary>
    Interleaved,

    /// <summary>
    /// Like <see cref="TokenMajor"/>, but of every 32 columns first the 16 even ones, then the 16 odd ones.
    /// </summary>
    SplitPairs,
}
