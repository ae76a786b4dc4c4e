using CsCheck;

namespace SparseExpansion.Models.Generation;

/// <summary>
/// Compares the tokens that the filters leave with plain references, and the draws among them with chance.
/// </summary>
public sealed class TokenDistributionTests
{
    private static readonly Gen<float[]> s_logits = Gen.Float[-8, 8].Array[1, 40];

    private static readonly Gen<GenerationOptions> s_options =
        Gen.Select(Gen.Double[0.2, 3], Gen.Int[1, 50], Gen.Double[0.01, 1], Gen.Double[0, 1], Gen.Int[0, 7]).Select(
            (temperature, k, p, min, which) => new GenerationOptions
            {
                Temperature = temperature,
                TopK = (which & 1) == 0 ? null : k,
                TopP = (which & 2) == 0 ? 1 : p,
                MinP = (which & 4) == 0 ? 0 : min,
            });

    [Fact]
    public void Distribution_AnyFilters_IsThatOfThePlainReference() =>
        Gen.Select(s_logits, s_options).Sample((logits, options) =>
        {
            Dictionary<int, double> expected = SamplingReference.Distribution(logits, options);
            TokenDistribution actual = TokenSampler.Distribution(logits, options);

            Assert.Equal(expected.Keys.Order(), actual.Ids.Order());
            Assert.All(
                actual.Ids.Zip(actual.Probabilities()),
                token => Assert.Equal(expected[token.First], token.Second, 1e-9));
        });

    [Theory]
    [InlineData(1.0, null, 1.0, 0.0)]
    [InlineData(0.7, null, 1.0, 0.0)]
    [InlineData(1.0, 4, 1.0, 0.0)]
    [InlineData(1.0, null, 0.8, 0.0)]
    [InlineData(1.5, null, 1.0, 0.2)]
    [InlineData(1.3, 6, 0.9, 0.1)]
    public void Sample_ManyDraws_FollowTheDistribution(double temperature, int? topK, double topP, double minP)
    {
        const int draws = 20_000;
        float[] logits = [.. Enumerable.Range(0, 10).Select(id => MathF.Sin(id * 1.7f) * 2)];
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        Dictionary<int, double> expected = SamplingReference.Distribution(logits, options);
        var random = new Random(7);
        var counts = new int[logits.Length];
        for (int i = 0; i < draws; i++)
        {
            counts[TokenSampler.Sample(logits, options, random.NextDouble())]++;
        }

        SamplingReference.AssertFollows(expected, counts);
    }

    [Fact]
    public void Penalize_SeenTokens_LoseWhateverTheirSign()
    {
        float[] logits = [2, -2, 3, 0];
        TokenSampler.Penalize(logits, new HashSet<int> { 0, 1, 3 }, 2);
        Assert.Equal([1f, -4f, 3f, 0f], logits);
    }

    [Fact]
    public void PenalizeAndAddBias_NumbersBeyondTheRangeOfALogit_StayFinite()
    {
        float[] logits = [2, 2, -2, float.NaN, float.PositiveInfinity];
        TokenSampler.Penalize(logits, new HashSet<int> { 0, 4 }, 1e-300);
        TokenSampler.AddBias(logits, new Dictionary<int, double> { [1] = 1e300, [2] = double.NegativeInfinity, [3] = 1 });
        Assert.Equal([float.MaxValue, float.MaxValue, float.NegativeInfinity, float.NaN, float.PositiveInfinity], logits);
    }

    [Fact]
    public void Distribution_TopKWithoutTopP_KeepsTokensTooImprobableToChangeASum() =>
        Assert.Equal(
            [0, 2, 1], TokenSampler.Distribution([8, -2, 0, -3], new GenerationOptions { Temperature = 0.2, TopK = 3 }).Ids);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Distribution_LogitIsNoNumber_Throws(float logit) =>
        Assert.Throws<SparseExpansionException>(
            () => TokenSampler.Distribution([0, logit], new GenerationOptions { Temperature = 1 }));

    [Fact]
    public void Distribution_NoTokenIsLeft_Throws() =>
        Assert.Throws<SparseExpansionException>(
            () => TokenSampler.Distribution([float.NegativeInfinity, float.NegativeInfinity], new GenerationOptions()));
}
