namespace SparseExpansion.Execution;

/// <summary>Chooses the tile sizes for a number of tokens.</summary>
internal static class TileCover
{
    /// <summary>The next tile: the kernel and how many of the remaining tokens it takes.</summary>
    public static TileKernel Next(TileKernel[] kernels, int remaining)
    {
        // The widest tile that is full; a nearly full wider one is one pass instead of two.
        TileKernel full = kernels[0];
        foreach (TileKernel kernel in kernels)
        {
            if (kernel.Lanes <= remaining)
            {
                full = kernel;
            }
            else if (remaining > full.Lanes + full.Lanes / 4)
            {
                return kernel;
            }
            else
            {
                break;
            }
        }

        return full;
    }
}
