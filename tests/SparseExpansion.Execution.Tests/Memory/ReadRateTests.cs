namespace SparseExpansion.Execution.Memory;

public sealed class ReadRateTests
{
    /// <summary>Between a slow disk and the fastest cache: the numbers are bytes per second.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Measure_SomeMemory_IsPlausible(int threads) =>
        Assert.InRange(ReadRate.Measure(threads, 16 << 20), 1e8, 1e13);
}
