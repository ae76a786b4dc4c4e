using SparseExpansion.Models;

namespace SparseExpansion.Transformers.Generation;

/// <summary>What is told of each token is that of the model, whatever the sampling does to the logits.</summary>
public sealed class LogProbabilityTests
{
    public static TheoryData<string, string> Runs
    {
        get
        {
            var runs = new TheoryData<string, string>();
            foreach (string name in new[] { Fixture.Llama, "gemma3_text", "opt" })
            {
                foreach (string sampling in new[] { "greedy", "hot", "penalty", "bias", "all" })
                {
                    runs.Add(name, sampling);
                }
            }

            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void GenerateTokens_AnySampling_TellsTheLogSoftmaxOfAPlainForward(string name, string sampling)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        List<int> text = [.. PlainModel.Prompt(model, 7, seed: 1)];
        GenerationOptions options = Options(sampling) with { MaxNewTokens = 15, EosIds = [], TopLogProbabilities = 5 };

        foreach (GeneratedToken token in TextGenerator.GenerateTokens(model, [.. text], options, TestContext.Current.CancellationToken))
        {
            double[] expected = PlainModel.LogProbabilities(model, text);
            Assert.Equal(expected[token.Id], token.LogProbability, 1e-4);
            Assert.Equal(5, token.Top.Select(score => score.Id).Distinct().Count());
            Assert.All(token.Top, score => Assert.Equal(expected[score.Id], score.LogProbability, 1e-4));
            Assert.All(
                expected.OrderDescending().Zip(token.Top), pair => Assert.Equal(pair.First, pair.Second.LogProbability, 1e-4));
            text.Add(token.Id);
        }

        Assert.Equal(22, text.Count);
    }

    [Fact]
    public void GenerateTokens_NoTopWanted_GivesNone()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        Assert.Empty(TextGenerator.GenerateTokens(model, [5, 9], cancellationToken: TestContext.Current.CancellationToken).First().Top);
    }

    private static GenerationOptions Options(string sampling)
    {
        var bias = new Dictionary<int, double> { [4] = 9, [11] = -3, [7] = double.NegativeInfinity };
        return sampling switch
        {
            "greedy" => new(),
            "hot" => new() { Temperature = 3, TopK = 50 },
            "penalty" => new() { RepetitionPenalty = 2 },
            "bias" => new() { LogitBias = bias },
            _ => new() { Temperature = 1.5, TopP = 0.9, RepetitionPenalty = 1.4, LogitBias = bias },
        };
    }
}
