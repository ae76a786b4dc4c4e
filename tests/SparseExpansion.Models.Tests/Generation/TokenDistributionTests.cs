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
            Dictionary<int, double> expected = Reference(logits, options);
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
        Dictionary<int, double> expected = Reference(logits, options);
        var random = new Random(7);
        var counts = new int[logits.Length];
        for (int i = 0; i < draws; i++)
        {
            counts[TokenSampler.Sample(logits, options, random.NextDouble())]++;
        }

        Assert.All(
            Enumerable.Range(0, logits.Length).Where(id => !expected.ContainsKey(id)),
            id => Assert.Equal(0, counts[id]));
        double chiSquare =
            expected.Sum(token => Math.Pow(counts[token.Key] - (draws * token.Value), 2) / (draws * token.Value));
        Assert.True(
            chiSquare < Largest(expected.Count - 1),
            $"chi-square {chiSquare} with {expected.Count - 1} degrees of freedom");
    }

    [Fact]
    public void Penalize_SeenTokens_LoseWhateverTheirSign()
    {
        float[] logits = [2, -2, 3, 0];
        TokenSampler.Penalize(logits, new HashSet<int> { 0, 1, 3 }, 2);
        Assert.Equal([1f, -4f, 3f, 0f], logits);
    }

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

    /// <summary>Limits that chi-square exceeds once in a thousand times, for 1 to 9 degrees of freedom.</summary>
    private static double Largest(int freedom) =>
        new[] { 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88 }[freedom - 1];

    /// <summary>
    /// Step by step on a list that is normalized anew each time; among equals the smaller id is the more probable.
    /// </summary>
    private static Dictionary<int, double> Reference(float[] logits, GenerationOptions options)
    {
        List<(int Id, double P)> left = Normalize(
            [.. logits.Select((logit, id) => (id, Math.Exp(((double)logit - logits.Max()) / options.Temperature)))]);
        left = [.. left.OrderByDescending(token => token.P).ThenBy(token => token.Id)];
        left = options.TopK is { } k ? Normalize(left.Take(k)) : left;
        if (options.TopP < 1)
        {
            int enough = 1;
            while (enough < left.Count && left.Take(enough).Sum(token => token.P) < options.TopP)
            {
                enough++;
            }

            left = Normalize(left.Take(enough));
        }

        return Normalize(left.Where(token => token.P >= options.MinP * left[0].P))
            .ToDictionary(token => token.Id, token => token.P);
    }

    private static List<(int Id, double P)> Normalize(IEnumerable<(int Id, double P)> tokens)
    {
        (int Id, double P)[] all = [.. tokens];
        double total = all.Sum(token => token.P);
        return [.. all.Select(token => (token.Id, token.P / total))];
    }
}
