namespace SparseExpansion.Execution.Packing;

public sealed class PackedLayoutTests
{
    [Theory]
    [InlineData(1, 1, 64)]
    [InlineData(64, 32, 64)]
    [InlineData(65, 0, 128)]
    [InlineData(128, 1280, 128)]
    [InlineData(129, 0, 192)]
    [InlineData(256, 0, 256)]
    [InlineData(257, 0, 256)]
    [InlineData(1000, 4000, 256)]
    [InlineData(1000, 4001, 128)]
    public void For_ColumnsAndNonZeros_BlocksAreNarrowerAboveFortyPercent(int columns, long nonZeros, int blockColumns)
    {
        PackedLayout layout = PackedLayout.For(10, columns, nonZeros);
        Assert.Equal(
            (10, columns, blockColumns, 128), (layout.Rows, layout.Columns, layout.BlockColumns, layout.PanelRows));
    }

    [Theory]
    [InlineData(300, null, 64)]
    [InlineData(320, null, 64)]
    [InlineData(321, null, 192)]
    [InlineData(385, null, 64)]
    [InlineData(449, null, 256)]
    [InlineData(256, null, 256)]
    [InlineData(1, 64, 64)]
    [InlineData(300, 128, 128)]
    [InlineData(385, 128, 256)]
    public void ForCodes_ColumnsAndGroups_FewestEmptyColumnsThenWidestBlocks(
        int columns, int? groupSize, int blockColumns) =>
        Assert.Equal(blockColumns, PackedLayout.ForCodes(10, columns, groupSize).BlockColumns);

    [Theory]
    [InlineData(128, 256, 1, 1)]
    [InlineData(129, 257, 2, 2)]
    [InlineData(256, 512, 2, 2)]
    [InlineData(1, 1, 1, 1)]
    public void Counts_AtBorders_CoverTheMatrix(int rows, int columns, int panels, int blocks)
    {
        var layout = new PackedLayout(rows, columns, 256, 128);
        Assert.Equal((panels, blocks), (layout.PanelCount, layout.BlockCount));
        Assert.Equal(blocks * 256, layout.PaddedColumns);
        Assert.Equal(rows, Enumerable.Range(0, panels).Sum(layout.RowsIn));
        Assert.Equal((long)rows * blocks, layout.RowBlockCount);
        Assert.Equal(128L * blocks, layout.FirstRowBlock(1));
        Assert.Equal(32, layout.MaskBytes);
    }

    /// <summary>
    /// A full panel in float32 and as columns, each with 64 more that kernels may load, and two bytes a row.
    /// </summary>
    [Fact]
    public void ScratchBytes_OfAPanel_HoldDenseRows() =>
        Assert.Equal(
            (((128 * 192) + 64) * 5) + (128 * 2), PanelDecoder.ScratchBytes(new PackedLayout(300, 1000, 192, 128)));

    [Theory]
    [InlineData(1, 1, 64, 1, true)]
    [InlineData(1, 1, 256, 256, true)]
    [InlineData(0, 1, 64, 1, false)]
    [InlineData(1, 0, 64, 1, false)]
    [InlineData(1, 1, 0, 1, false)]
    [InlineData(1, 1, 320, 1, false)]
    [InlineData(1, 1, 96, 1, false)]
    [InlineData(1, 1, 64, 0, false)]
    [InlineData(1, 1, 64, 257, false)]
    public void IsValid_Borders_HoldsWhereIndicesFitAByte(
        int rows, int columns, int blockColumns, int panelRows, bool valid) =>
        Assert.Equal(valid, new PackedLayout(rows, columns, blockColumns, panelRows).IsValid);
}
