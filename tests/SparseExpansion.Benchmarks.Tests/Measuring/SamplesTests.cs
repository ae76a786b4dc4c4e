namespace SparseExpansion.Comparison.Measuring;

public sealed class SamplesTests
{
    [Fact]
    public void Ratio_IsTheMedianWithinRounds_NotTheRatioOfMedians()
    {
        var samples = new Samples([(10, 5), (3, 1), (8, 8)]);

        Assert.Equal(2, samples.Ratio);
        Assert.Equal(1, samples.MinRatio);
        Assert.Equal(3, samples.MaxRatio);
        Assert.Equal(8, samples.Ours);
        Assert.Equal(5, samples.Peer);
    }

    [Theory]
    [InlineData(2, 3.0, 2.0, 1.0)]
    [InlineData(2.5, 4.0, 1.0, 3.0, 2.0)]
    [InlineData(7, 7.0)]
    public void Median_IsTheMiddle(double expected, params double[] values) => Assert.Equal(expected, Samples.Median(values));

    [Fact]
    public void Take_AsksBothInEveryRound_InRandomOrder()
    {
        var asked = new List<char>();
        int ours = 0, peer = 0;

        Samples samples = Samples.Take(
            new RoundLimit(40, 40, TimeSpan.MaxValue), () => Ask('o', ++ours), () => Ask('p', 10 * ++peer), new Random(1));

        Assert.Equal(Enumerable.Range(1, 40).Select(i => ((double)i, 10.0 * i)), samples.Rounds);
        int oursFirst = asked.Chunk(2).Count(pair => pair[0] == 'o');
        Assert.All(asked.Chunk(2), pair => Assert.NotEqual(pair[0], pair[1]));
        Assert.InRange(oursFirst, 10, 30);

        double Ask(char who, double value)
        {
            asked.Add(who);
            return value;
        }
    }

    [Theory]
    [InlineData(2, 100, true)]
    [InlineData(3, 100, false)]
    [InlineData(3, 7, true)]
    [InlineData(7, 1, false)]
    public void Allows_DependsOnTimeBetweenLeastAndMost(int done, double seconds, bool expected) =>
        Assert.Equal(expected, new RoundLimit(3, 7, TimeSpan.FromSeconds(8)).Allows(done, TimeSpan.FromSeconds(seconds)));
}
