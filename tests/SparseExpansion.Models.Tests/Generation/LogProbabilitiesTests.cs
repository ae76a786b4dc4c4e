using CsCheck;

namespace SparseExpansion.Models.Generation;

public sealed class LogProbabilitiesTests
{
    [Fact]
    public void Normalizer_AnyLogits_IsThatOfThePlainSum() => Gen.Float[-20, 20].Array[1, 50].Sample(logits =>
        Assert.Equal(Math.Log(logits.Sum(logit => Math.Exp(logit))), LogProbabilities.Normalizer(logits), 1e-9));

    [Fact]
    public void Normalizer_LargeLogits_DoesNotOverflow()
    {
        Assert.Equal(3e38 + Math.Log(2), LogProbabilities.Normalizer([3e38f, 3e38f]), 1e32);
        Assert.Equal(Math.Log(2), LogProbabilities.Normalizer([0, float.NegativeInfinity, 0]), 1e-12);
    }

    [Fact]
    public void Top_EqualLogits_ComeInTheOrderOfTheirIds()
    {
        float[] logits = [1, 3, 2, 3, 1, 3, 2];
        Assert.Equal([1, 3, 5, 2, 6, 0, 4], Ids(logits, 7));
        Assert.Equal([1, 3], Ids(logits, 2));
        Assert.Equal([1, 3, 5, 2, 6, 0, 4], Ids(logits, 100));
        Assert.Empty(Ids(logits, 0));
    }

    [Fact]
    public void Top_AnyLogits_SumsToOneAndFalls() => Gen.Float[-9, 9].Array[1, 30].Sample(logits =>
    {
        TokenScore[] top = LogProbabilities.Top(logits, LogProbabilities.Normalizer(logits), logits.Length);
        Assert.Equal(1, top.Sum(score => Math.Exp(score.LogProbability)), 1e-9);
        Assert.Equal(top.Select(score => score.LogProbability).OrderDescending(), top.Select(score => score.LogProbability));
        Assert.Equal(Enumerable.Range(0, logits.Length), top.Select(score => score.Id).Order());
    });

    private static IEnumerable<int> Ids(float[] logits, int count) =>
        LogProbabilities.Top(logits, LogProbabilities.Normalizer(logits), count).Select(score => score.Id);
}
