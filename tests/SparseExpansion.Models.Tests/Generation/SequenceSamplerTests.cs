namespace SparseExpansion.Models.Generation;

public sealed class SequenceSamplerTests
{
    private static readonly float[] s_logits = [.. Enumerable.Range(0, 10).Select(id => MathF.Sin(id * 1.7f) * 2)];
    private static readonly int[] s_prompt = [1, 4, 4, 6];
    private static readonly Dictionary<int, double> s_bias =
        new() { [0] = 1.5, [4] = 2, [7] = -0.75, [9] = double.NegativeInfinity };

    public static TheoryData<string> Settings => ["penalty", "reward", "bias", "temperature", "all"];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Next_ManySeeds_FollowsThePlainReference(string name)
    {
        GenerationOptions options = Options(name);
        var seeds = new Random(11);
        int[] counts = new int[s_logits.Length];
        for (int draw = 0; draw < 20_000; draw++)
        {
            counts[Sampler(options with { Seed = seeds.Next() }).Next([.. s_logits]).Id]++;
        }

        SamplingReference.AssertFollows(Expected(options, s_prompt), counts);
    }

    [Fact]
    public void Next_ManyTokensOfOneSequence_FollowThePlainReference()
    {
        // All tokens are in the prompt, so that the distribution stays the same.
        GenerationOptions options = Options("all");
        int[] prompt = [.. Enumerable.Range(0, s_logits.Length)];
        var sampler = new SequenceSampler(options with { Seed = 5 }, [], [], prompt);
        int[] counts = new int[s_logits.Length];
        for (int draw = 0; draw < 20_000; draw++)
        {
            counts[sampler.Next([.. s_logits]).Id]++;
        }

        SamplingReference.AssertFollows(Expected(options, prompt), counts);
    }

    [Fact]
    public void Next_SecondToken_IsPenalizedForTheFirst()
    {
        var options = new GenerationOptions { RepetitionPenalty = 3 };
        List<int> text = [.. s_prompt];
        SequenceSampler sampler = Sampler(options);
        for (int step = 0; step < 20; step++)
        {
            float[] changed = SamplingReference.Change(s_logits, text, options);
            int expected = Array.IndexOf(changed, changed.Max());

            Assert.Equal(expected, sampler.Next([.. s_logits]).Id);
            text.Add(expected);
        }
    }

    [Fact]
    public void Next_AnyOptions_TellsTheLogProbabilitiesOfTheModel()
    {
        double total = Math.Log(s_logits.Sum(logit => Math.Exp(logit)));
        foreach (string name in Settings.Select(row => row.Data))
        {
            GeneratedToken token = Sampler(Options(name) with { TopLogProbabilities = 3 }).Next([.. s_logits]);

            int[] best = [.. Enumerable.Range(0, s_logits.Length).OrderByDescending(id => s_logits[id]).Take(3)];
            Assert.Equal(s_logits[token.Id] - total, token.LogProbability, 1e-6);
            Assert.Equal(best, token.Top.Select(score => score.Id));
            Assert.All(token.Top, score => Assert.Equal(s_logits[score.Id] - total, score.LogProbability, 1e-6));
        }
    }

    [Fact]
    public void Next_ExcludedTokens_AreNeverTaken()
    {
        var options = new GenerationOptions { Temperature = 5 };
        var sampler = new SequenceSampler(options, [], [0, 5, 6, 7, 8, 9], s_prompt);
        Assert.All(Enumerable.Range(0, 500), _ => Assert.InRange(sampler.Next([.. s_logits]).Id, 1, 4));
    }

    private static SequenceSampler Sampler(GenerationOptions options) => new(options, [], [], s_prompt);

    private static Dictionary<int, double> Expected(GenerationOptions options, int[] text) =>
        SamplingReference.Distribution(SamplingReference.Change(s_logits, text, options), options);

    private static GenerationOptions Options(string name)
    {
        var plain = new GenerationOptions { Temperature = 1 };
        return name switch
        {
            "penalty" => plain with { RepetitionPenalty = 1.6 },
            "reward" => plain with { RepetitionPenalty = 0.7 },
            "bias" => plain with { LogitBias = s_bias },
            "temperature" => plain with { Temperature = 0.6, RepetitionPenalty = 1.6 },
            _ => new()
            {
                Temperature = 1.4,
                RepetitionPenalty = 1.3,
                LogitBias = s_bias,
                TopK = 7,
                TopP = 0.93,
                MinP = 0.06,
            },
        };
    }
}
