namespace SparseExpansion.Inference.Caching;

public sealed class PagePoolTests
{
    private static readonly PageLayout s_layout = new(2, 3, CacheFormat.Int8, 4);

    [Fact]
    public void Layout_EachFormat_LaysHeadsOutWithoutOverlap()
    {
        foreach (CacheFormat format in Enum.GetValues<CacheFormat>())
        {
            var layout = new PageLayout(3, 5, format, 7);
            int number = format switch { CacheFormat.Float32 => 4, CacheFormat.BFloat16 => 2, _ => 1 };
            int scales = format == CacheFormat.Int8 ? 7 * 4 : 0;
            nint end = 0;
            for (int head = 0; head < 3; head++)
            {
                foreach ((nint start, int bytes) in new[] { (layout.Keys(head), 35 * number), (layout.Values(head), 35 * number), (layout.KeyScales(head), scales), (layout.ValueScales(head), scales) })
                {
                    Assert.True(bytes == 0 || start >= end);
                    Assert.Equal(0, start % 64);
                    end = bytes == 0 ? end : start + bytes;
                }
            }

            Assert.InRange(layout.Bytes, end, end + 63);
            Assert.Equal(5 * number, layout.TokenBytes);
        }
    }

    [Theory]
    [InlineData(0, 1, 1, CacheFormat.Int8)]
    [InlineData(1, 0, 1, CacheFormat.Int8)]
    [InlineData(1, 1, 0, CacheFormat.Int8)]
    [InlineData(1, 1, 1, (CacheFormat)9)]
    public void Pool_WrongLayout_Throws(int heads, int features, int tokens, CacheFormat format) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PagePool(new PageLayout(heads, features, format, tokens), 1 << 20));

    [Fact]
    public void Pool_BudgetBelowAPage_SaysHowLargeAPageIs() => Assert.Contains(
        $"One page of 4 tokens needs {s_layout.Bytes} bytes. Raise the cache's budget.",
        Assert.Throws<ArgumentOutOfRangeException>("budgetBytes", () => new PagePool(s_layout, s_layout.Bytes - 1)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void TryTake_MoreThanTheBudget_ChangesNothing()
    {
        using var pool = new PagePool(s_layout, 5 * s_layout.Bytes);
        nint[] pages = new nint[3];
        Assert.True(pool.TryTake(pages));
        Assert.False(pool.TryTake(new nint[3]));
        Assert.Equal(3, pool.InUse);
        nint[] rest = new nint[2];
        Assert.True(pool.TryTake(rest));
        Assert.Equal(5, pages.Concat(rest).Distinct().Count());
        Assert.False(pool.TryTake(new nint[1]));
        pool.Return(pages);
        Assert.Equal(2, pool.InUse);
        Assert.Equal(5, pool.Allocated);
        pool.Return(rest);
    }

    [Fact]
    public void Dispose_PagesInUse_FreesWhenTheLastComesBack()
    {
        var pool = new PagePool(s_layout, 5 * s_layout.Bytes);
        nint[] pages = new nint[2];
        Assert.True(pool.TryTake(pages));
        pool.Dispose();
        Assert.NotEqual(0, pool.Allocated);
        pool.Return(pages);
        Assert.Equal(0, pool.Allocated);
        Assert.Equal(0, pool.InUse);
        Assert.Throws<ObjectDisposedException>(() => pool.TryTake(pages));
    }

    [Fact]
    public async Task TryTake_ManyThreads_GivesEachPageToOne()
    {
        using var pool = new PagePool(s_layout, 1000 * s_layout.Bytes);
        nint[][] taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            nint[] mine = new nint[200];
            for (int round = 0; round < 50; round++)
            {
                pool.Return(round == 0 ? [] : mine);
                Assert.True(pool.TryTake(mine));
            }

            return mine;
        })));
        Assert.Equal(800, taken.SelectMany(pages => pages).Distinct().Count());
        Assert.Equal(800, pool.InUse);
        Array.ForEach(taken, pages => pool.Return(pages));
    }
}
