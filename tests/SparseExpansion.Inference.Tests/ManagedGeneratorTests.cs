using SparseExpansion.Models;
using SparseExpansion.Testing;

namespace SparseExpansion.Inference;

/// <summary>Continued prompts and texts.</summary>
public sealed class ManagedGeneratorTests
{
    private const int PromptTokens = 6;

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Generate_GivesTheReferenceTokens(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        int[] expected = Fixture.Ids(name, "generated")[0];

        IEnumerable<int> generated = ManagedGenerator.Generate(
            model, expected[..PromptTokens], new GenerationOptions { MaxNewTokens = expected.Length - PromptTokens, EosIds = [] },
            TestContext.Current.CancellationToken);

        Assert.Equal(expected[PromptTokens..], generated);
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void GenerateBatch_PromptsOfDifferentLengths_GivesEachTheTokensThatItGetsAlone(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        int[][] prompts = [[3, 9, 27, 81, 1, 7, 5], [4], [11, 30, 12, 40, 2, 2, 2, 2, 8, 90, 17]];
        var options = new GenerationOptions { MaxNewTokens = 12, EosIds = [], Overflow = ContextOverflow.Slide };

        IReadOnlyList<GeneratedSequence> together =
            ManagedGenerator.GenerateBatch(model, prompts, options, TestContext.Current.CancellationToken);

        for (int i = 0; i < prompts.Length; i++)
        {
            GeneratedToken[] alone =
                [.. ManagedGenerator.GenerateTokens(model, prompts[i], options, TestContext.Current.CancellationToken)];
            Assert.Equal(alone.Select(token => token.Id), together[i].Tokens.Select(token => token.Id));
            Assert.All(alone.Zip(together[i].Tokens), pair => Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-4));
        }
    }

    [Fact]
    public async Task StreamAsync_OfTheSample_GivesTheTextOfGenerateText()
    {
        string folder = Path.Combine(Repository.Root, "samples", "QuickStart", "model");
        using InferenceModel model = InferenceModel.Load(folder);
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        var options = new GenerationOptions { MaxNewTokens = 12, Temperature = 0.8, Seed = 3 };
        string expected = string.Concat(ManagedGenerator.GenerateText(
            model, tokenizer, "Once upon a time", options, TestContext.Current.CancellationToken));
        string text = "";
        await foreach (string piece in ManagedGenerator.StreamAsync(
            model, tokenizer, "Once upon a time", options, TestContext.Current.CancellationToken))
        {
            text += piece;
        }

        Assert.NotEmpty(expected);
        Assert.Equal(expected, text);
        Assert.Equal(expected, ManagedGenerator.GenerateTexts(
            model, tokenizer, ["Once upon a time", "The"], options, TestContext.Current.CancellationToken)[0].Text);
    }

    [Fact]
    public async Task StreamAsync_OfTheReadme_WritesTheText()
    {
        string folder = Path.Combine(Repository.Root, "samples", "QuickStart", "model");
        using InferenceModel model = InferenceModel.Load(folder);
        using var written = new StringWriter();

        await ReadmeSample.StreamAsync(folder, written);

        Assert.Equal(
            string.Concat(ManagedGenerator.GenerateText(
                model, TextTokenizer.Load(folder), "Once upon a time", new GenerationOptions { MaxNewTokens = 32 },
                TestContext.Current.CancellationToken)),
            written.ToString());
    }

    [Fact]
    public void Generate_NoModel_Throws() =>
        Assert.Throws<ArgumentNullException>(() => ManagedGenerator.Generate(null!, [1]));
}
