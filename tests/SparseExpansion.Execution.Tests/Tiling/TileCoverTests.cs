using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Tiling;

public sealed unsafe class TileCoverTests
{
    private static readonly TileKernel[] s_kernels =
        [Kernel(1, 0.25f), Kernel(8, 0.5f), Kernel(16, 0.75f), Kernel(32, 1.25f), Kernel(64, 2f)];

    /// <summary>
    /// Costs are such that ties occur: 24 tokens cost as much in 16 + 8 lanes as in 32, and full tiles win.
    /// </summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 8)]
    [InlineData(8, 8)]
    [InlineData(9, 8)]
    [InlineData(10, 16)]
    [InlineData(16, 16)]
    [InlineData(24, 16)]
    [InlineData(25, 32)]
    [InlineData(32, 32)]
    [InlineData(48, 32)]
    [InlineData(49, 64)]
    [InlineData(63, 64)]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    public void Next_Tokens_TakesTheCheapestCover(int tokens, int lanes) =>
        Assert.Equal(lanes, TileCover.Next(s_kernels, tokens, 128).Lanes);

    /// <summary>64 lanes of 128 columns are 32 KiB, and fit; of 192 they do not, nor do 32 lanes of 320.</summary>
    [Theory]
    [InlineData(128, 64)]
    [InlineData(192, 32)]
    [InlineData(256, 32)]
    [InlineData(320, 16)]
    [InlineData(100_000, 1)]
    public void Next_WideBlocks_TilesStayInTheCache(int blockColumns, int lanes) =>
        Assert.Equal(lanes, TileCover.Next(s_kernels, 200, blockColumns).Lanes);

    private static TileKernel Kernel(int lanes, float cost) =>
        new(KernelKind.Index, lanes, TileLayout.Interleaved, 1, cost, null);
}
