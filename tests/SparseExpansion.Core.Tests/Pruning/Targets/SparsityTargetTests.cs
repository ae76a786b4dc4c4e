
namespace SparseExpansion.Pruning.Targets;

public sealed class SparsityTargetTests
{
    [Theory]
    [InlineData("0.5", 0.5)]
    [InlineData("0", 0)]
    [InlineData("1e-1", 0.1)]
    [InlineData("2:4", 0.5)]
    [InlineData("1:4", 0.75)]
    [InlineData("1:1", 0)]
    [InlineData("128:128", 0)]
    public void Parse_ShareOrGroup_IsRead(string text, double sparsity)
    {
        SparsityTarget target = SparsityTarget.Parse(text);
        Assert.Equal(sparsity, target.Sparsity);
        Assert.Equal(text.Contains(':'), target is NMTarget);
        Assert.Equal(target, SparsityTarget.Parse(target.ToString()));
    }

    [Theory]
    [InlineData("half")]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("2:")]
    [InlineData(":4")]
    [InlineData("2:4:8")]
    [InlineData("-2:4")]
    [InlineData("2.0:4")]
    public void Parse_Neither_ShowsHowToWriteIt(string text) =>
        Assert.Contains("0.5", Assert.Throws<FormatException>(() => SparsityTarget.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1")]
    [InlineData("-0.1")]
    [InlineData("NaN")]
    [InlineData("0:4")]
    [InlineData("5:4")]
    [InlineData("1:0")]
    [InlineData("2:129")]
    public void Parse_OutOfRange_Throws(string text) => Assert.Throws<ArgumentOutOfRangeException>(() => SparsityTarget.Parse(text));

    [Fact]
    public void Factories_AtTheirBorders_TakeWhatTheySay()
    {
        Assert.Equal(0, SparsityTarget.Unstructured(0).Sparsity);
        Assert.Equal(Math.BitDecrement(1), SparsityTarget.Unstructured(Math.BitDecrement(1)).Sparsity);
        Assert.Throws<ArgumentOutOfRangeException>("scope", () => SparsityTarget.Unstructured(0.5, (SparsityScope)77));
        Assert.Throws<ArgumentNullException>(() => SparsityTarget.Parse(null!));
        Assert.Throws<ArgumentOutOfRangeException>("pruned", () => SparsityTarget.Exactly(-1, 10));
        Assert.Throws<ArgumentOutOfRangeException>("pruned", () => SparsityTarget.Exactly(10, 10));
        Assert.True(SparsityTarget.Exactly(0, 10).IsExact);
        Assert.False(SparsityTarget.Unstructured(0.5).IsExact);
    }

    /// <summary>Whatever the division rounds to: the count comes back, and no more.</summary>
    [Fact]
    public void Exactly_EveryCount_ComesBack()
    {
        foreach (long weights in new long[] { 1, 3, 10, 49, 3 * 4096, 11_008 * 4096L })
        {
            foreach (long pruned in new long[] { 0, 1, weights / 3, weights / 2, weights - 1 }.Where(count => count >= 0 && count < weights))
            {
                Assert.Equal(pruned, UnstructuredTarget.PrunedCount(weights, SparsityTarget.Exactly(pruned, weights).Sparsity));
            }
        }
    }

    /// <summary>
    /// 7 of 3 × 10 weights: blocks of 4, 4 and 2 columns get floor(7 · end /
    /// 10) in all up to their ends, so 2, 3 and 2.
    /// </summary>
    [Fact]
    public void SparsityOf_ColumnsOfAnExactTarget_SharesTheCount()
    {
        UnstructuredTarget exact = SparsityTarget.Exactly(7, 30);
        Assert.Equal([2, 3, 2], new[] { (0, 4), (4, 4), (8, 2) }.Select(block => UnstructuredTarget.PrunedCount(3 * block.Item2, exact.SparsityOf(3, block.Item1, block.Item2, 10))));
        Assert.Equal(0.3, SparsityTarget.Unstructured(0.3).SparsityOf(3, 4, 4, 10));
    }

    [Fact]
    public void ToString_ChosenScope_IsTold()
    {
        Assert.Equal("0.5", SparsityTarget.Unstructured(0.5).ToString());
        Assert.Equal("0.5 (Row)", SparsityTarget.Unstructured(0.5, SparsityScope.Row).ToString());
        Assert.Equal("2:4", SparsityTarget.NM(2, 4).ToString());
    }
}
