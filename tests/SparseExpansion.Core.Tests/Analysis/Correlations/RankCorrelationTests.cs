using CsCheck;
using MathNet.Numerics.Statistics;

namespace SparseExpansion.Analysis.Correlations;

public sealed class RankCorrelationTests
{
    private static readonly Gen<(double[], double[])> Pairs =
        from n in Gen.Int[3, 40]
        from a in Gen.Int[0, 9].Select(i => (double)i).Array[n]
        from b in Gen.Double[-1, 1].Array[n]
        where a.Distinct().Count() > 1
        select (a, b);

    [Fact]
    public void Spearman_AnyValues_EqualsMathNet() => Pairs.Sample((a, b) =>
        Assert.Equal(Correlation.Spearman(a, b), RankCorrelation.Spearman(a, b, new RankCorrelationOptions { Resamples = 2 }).Coefficient, 1e-10));

    [Fact]
    public void Rank_Resample_EqualsRanksOfTheDrawnValues() =>
        Pairs.SelectMany(pair => Gen.Int[0, pair.Item1.Length - 1].Array[pair.Item1.Length].Select(drawn => (pair.Item1, drawn))).Sample((values, drawn) =>
        {
            var counts = new int[values.Length];
            Array.ForEach(drawn, i => counts[i]++);
            var deviations = new double[values.Length];

            double squares = new RankedSample(values).Rank(counts, values.Length, deviations);

            double[] ranks = [.. drawn.Select(i => values[i]).Ranks(RankDefinition.Average)];
            double middle = (values.Length + 1) / 2.0;
            Assert.All(drawn.Zip(ranks), pair => Assert.Equal(pair.Second - middle, deviations[pair.First], 1e-10));
            Assert.Equal(ranks.Sum(rank => (rank - middle) * (rank - middle)), squares, 1e-8);
        });

    [Fact]
    public void Spearman_LargeNormalSample_HasTheIntervalOfTheory()
    {
        var random = new Random(2);
        double[] a = [.. Enumerable.Range(0, 2_000).Select(_ => random.NextDouble())];
        double[] b = [.. a.Select(value => value + (2 * random.NextDouble()))];

        RankCorrelationResult result = RankCorrelation.Spearman(a, b);

        // Fisher's transform with the variance for ranks, (1 + ρ²/2) / (n − 3): Bonett & Wright 2000.
        double half = 1.96 * Math.Sqrt((1 + (result.Coefficient * result.Coefficient / 2)) / (a.Length - 3));
        Assert.Equal(Math.Tanh(Math.Atanh(result.Coefficient) - half), result.Lower, 0.01);
        Assert.Equal(Math.Tanh(Math.Atanh(result.Coefficient) + half), result.Upper, 0.01);
        Assert.Equal(result, RankCorrelation.Spearman(a, b));
        Assert.NotEqual(result.Lower, RankCorrelation.Spearman(a, b, new RankCorrelationOptions { Seed = 1 }).Lower);
    }

    [Fact]
    public void Between_Measures_CorrelatesEveryPairInOrder()
    {
        double[] rising = [1, 2, 3, double.PositiveInfinity], falling = [4, 3, 2, 1], constant = [1, 1, 1, 1];

        IReadOnlyList<RankCorrelationResult> results = RankCorrelation.Between(
            new Dictionary<string, IReadOnlyList<double>> { ["rising"] = rising, ["falling"] = falling, ["constant"] = constant });

        Assert.Equal([("rising", "falling"), ("rising", "constant"), ("falling", "constant")], results.Select(result => (result.First, result.Second)));
        Assert.Equal(-1, results[0].Coefficient, 1e-12);
        Assert.True(double.IsNaN(results[1].Coefficient) && double.IsNaN(results[1].Lower));
    }

    [Fact]
    public void Spearman_BadArguments_Throw()
    {
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2], [1, 2]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2, 3], [1, 2]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2, double.NaN], [1, 2, 3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RankCorrelation.Spearman([1, 2, 3], [1, 2, 3], new RankCorrelationOptions { Confidence = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => RankCorrelation.Spearman([1, 2, 3], [1, 2, 3], new RankCorrelationOptions { Resamples = 1 }));
    }
}
