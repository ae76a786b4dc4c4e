using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Tiling;

/// <summary>Chooses the tile sizes for a number of tokens.</summary>
internal static class TileCover
{
    // The part of a tile that belongs to a block must stay in the first-level cache.
    private const int LargestTileBlock = 32 * 1024;

    /// <summary>
    /// The kernel for the next tile of the remaining tokens; it may have more lanes than there are tokens.
    /// </summary>
    public static TileKernel Next(TileKernel[] kernels, int remaining, int blockColumns)
    {
        Cheapest(kernels, remaining, blockColumns, out TileKernel next);
        return next;
    }

    /// <summary>
    /// Either one tile with room to spare, or the widest full tile and the cheapest cover of the rest.
    /// </summary>
    private static float Cheapest(TileKernel[] kernels, int remaining, int blockColumns, out TileKernel next)
    {
        TileKernel full = kernels[0];
        TileKernel? wider = null;
        foreach (TileKernel kernel in kernels)
        {
            if (kernel.Lanes > 1 && kernel.Lanes * blockColumns * sizeof(float) > LargestTileBlock)
            {
                break;
            }

            if (kernel.Lanes > remaining)
            {
                wider = kernel;
                break;
            }

            full = kernel;
        }

        next = full;
        if (wider is null || full.Lanes == remaining)
        {
            return full.Cost;
        }

        float split = full.Cost + Cheapest(kernels, remaining - full.Lanes, blockColumns, out _);
        if (split <= wider.Cost)
        {
            return split;
        }

        next = wider;
        return wider.Cost;
    }
}
