using CsCheck;

namespace SparseExpansion.Inference.Caching;

public sealed unsafe class SequenceCacheTests
{
    private static readonly PageLayout s_layout = new(1, 2, CacheFormat.Float32, 4);

    [Fact]
    public void Advance_Windows_KeepWhatLaterTokensSee() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int[0, 10], Gen.Int[1, 9].Array[1, 12]).Sample((window, undo, steps) =>
        {
            using var pool = new PagePool(s_layout, 1 << 20);
            using (var cache = new SequenceCache(pool, [null, window], undo))
            {
                foreach (int step in steps)
                {
                    cache.Reserve(step);
                    cache.Advance(step);
                    int needed = Math.Max(0, Math.Max(0, cache.Length - undo) - window + 1) / 4;
                    int pages = (cache.Length + 3) / 4;
                    Assert.Equal(needed, cache.Layer(1).First);
                    Assert.Equal(0, cache.Layer(0).First);
                    Assert.Equal(pages + pages - Math.Min(needed, pages), pool.InUse);
                }

                Assert.True(cache.CanTruncate(Math.Max(0, cache.Length - undo)));
            }

            Assert.Equal(0, pool.InUse);
        });

    [Fact]
    public void Truncate_WithinUndo_GivesPagesBack()
    {
        using var pool = new PagePool(s_layout, 1 << 20);
        using var cache = new SequenceCache(pool, [null]);
        cache.Reserve(20);
        cache.Advance(13);
        Assert.Equal(5, pool.InUse);
        cache.Truncate(8);
        Assert.Equal((8, 8, 2), (cache.Length, cache.Reserved, pool.InUse));
        cache.Truncate(0);
        Assert.Equal(0, pool.InUse);
        cache.Reserve(3);
        cache.Advance(3);
        Assert.Equal(3, cache.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(4));
    }

    [Fact]
    public void Truncate_BehindAWindow_SaysHowFar()
    {
        using var pool = new PagePool(s_layout, 1 << 20);
        using var cache = new SequenceCache(pool, [4], undo: 2);
        cache.Reserve(40);
        cache.Advance(40);
        cache.Truncate(38);
        Assert.False(cache.CanTruncate(20));
        Assert.Equal(
            "The cache has 38 tokens and cannot go back to 20: layers with windows have given back positions that the next token would see. Go back by at most 2 tokens, or start anew from 0.",
            Assert.Throws<InvalidOperationException>(() => cache.Truncate(20)).Message);
        Assert.Equal(38, cache.Length);
        Assert.True(cache.CanTruncate(0));
        cache.Truncate(0);
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public void Reserve_BeyondTheBudget_SaysWhatToDoAndChangesNothing()
    {
        using var pool = new PagePool(s_layout, 3 * s_layout.Bytes);
        using var cache = new SequenceCache(pool, [null, null]);
        cache.Reserve(4);
        Assert.False(cache.TryReserve(5));
        Assert.Equal(
            $"The cache of keys and values is full: 5 more tokens after 0 need 2 pages of 4 tokens, 1 of 3 are free ({3 * s_layout.Bytes} bytes in all). Raise the cache's budget, choose a smaller format of it, shorten the sequence, or run fewer sequences at a time.",
            Assert.Throws<SparseExpansionException>(() => cache.Reserve(5)).Message);
        Assert.Equal((2, 4), (pool.InUse, cache.Reserved));
    }

    [Fact]
    public void StoreAndAdvance_NotReserved_Throw()
    {
        using var pool = new PagePool(s_layout, 1 << 20);
        var cache = new SequenceCache(pool, [null]);
        cache.Reserve(4);
        float* numbers = stackalloc float[10];
        Assert.Throws<InvalidOperationException>(() => cache.Advance(5));
        nint address = (nint)numbers;
        Assert.Throws<InvalidOperationException>(() => cache.Store(0, 5, (float*)address, (float*)address, 2));
        cache.Dispose();
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Reserve(1));
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public void Steps_PagesAreThere_AllocateNothing()
    {
        using var pool = new PagePool(s_layout with { Tokens = 64 }, 1 << 20);
        using var cache = new SequenceCache(pool, [null, 3]);
        float* numbers = stackalloc float[2];
        Step(cache, numbers);
        Step(cache, numbers);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            Step(cache, numbers);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(22, cache.Length);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, -1)]
    public void Cache_WrongWindowOrUndo_Throws(int window, int undo)
    {
        using var pool = new PagePool(s_layout, 1 << 20);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceCache(pool, [window], undo));
    }

    private static void Step(SequenceCache cache, float* numbers)
    {
        cache.Reserve(1);
        cache.Store(0, 1, numbers, numbers, 2);
        cache.Store(1, 1, numbers, numbers, 2);
        cache.Advance(1);
    }
}
