using CsCheck;

namespace SparseExpansion.Execution.Tiling;

public sealed class TokenGroupingTests
{
    [Fact]
    public void Sort_RandomExperts_EqualsStableSort() =>
        Gen.Int[1, 9].SelectMany(k => Gen.Long[0, k - 1].Array[0, 60].Select(e => (Count: k, Experts: e))).Sample(c =>
    {
        var order = new int[c.Experts.Length];
        var offsets = new int[c.Count + 1];
        TokenGrouping.Sort(c.Experts, order, offsets);
        Assert.Equal(Enumerable.Range(0, order.Length).OrderBy(t => c.Experts[t]), order);
        for (int expert = 0; expert <= c.Count; expert++)
        {
            Assert.Equal(c.Experts.Count(e => e < expert), offsets[expert]);
        }
    });

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(long.MaxValue)]
    public void Sort_ExpertOutOfRange_Throws(long expert) =>
        Assert.Equal(expert, Assert.Throws<ArgumentOutOfRangeException>(() => TokenGrouping.Sort([0, expert], new int[2], new int[4])).ActualValue);

    [Fact]
    public void Sort_NoExperts_TakesNoTokens()
    {
        int[] offsets = [7];
        TokenGrouping.Sort([], [], offsets);
        Assert.Equal([0], offsets);
        Assert.Throws<ArgumentOutOfRangeException>("experts", () => TokenGrouping.Sort([0], new int[1], new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>("offsets", () => TokenGrouping.Sort([], [], []));
    }

    [Fact]
    public void Sort_WrongOrderLength_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenGrouping.Sort([0, 1], new int[3], new int[4]));
}
