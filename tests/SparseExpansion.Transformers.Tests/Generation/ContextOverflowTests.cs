using SparseExpansion.Models;

namespace SparseExpansion.Transformers.Generation;

public sealed class ContextOverflowTests
{
    private const int Context = 64;

    private static readonly GenerationOptions s_sliding = new() { EosIds = [], Overflow = ContextOverflow.Slide };

    /// <summary>Learned positions, those with an offset, and windows.</summary>
    public static TheoryData<string> Models => ["gpt2", "opt", "gemma3_text"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Generate_Error_IsRefusedBeforeTheModelRuns(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int passes = 0;
        using var hook = new PassHook(model, () => passes++);
        var options = new GenerationOptions { EosIds = [], MaxNewTokens = 10 };

        ArgumentException error =
            Assert.Throws<ArgumentException>(() => Generate(model, PlainModel.Prompt(model, Context - 9, 1), options));

        Assert.Contains("The prompt has 55 tokens", error.Message, StringComparison.Ordinal);
        Assert.Contains("context of 64 with 10 new ones", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, passes);
        Assert.Equal(10, Generate(model, PlainModel.Prompt(model, Context - 10, 1), options).Count());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Generate_SlideFarBeyondTheContext_EqualsAPlainLoop(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int start = model.Config.BosId!.Value;
        foreach (int[] prompt in new[]
        {
            PlainModel.Prompt(model, 5, 2), [start, .. PlainModel.Prompt(model, 20, 3)],
            PlainModel.Prompt(model, Context, 4), [start, .. PlainModel.Prompt(model, Context, 5)],
        })
        {
            Assert.Equal(
                PlainModel.Continue(model, prompt, 110), Generate(model, prompt, s_sliding with { MaxNewTokens = 110 }));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Generate_SlidePromptLongerThanTheContext_EqualsAPlainLoop(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[] prompt = PlainModel.Prompt(model, 150, 6);
        int[] started = [model.Config.BosId!.Value, .. prompt];
        GenerationOptions options = s_sliding with { MaxNewTokens = 12 };

        Assert.Equal(PlainModel.Continue(model, prompt, 12), Generate(model, prompt, options));
        Assert.Equal(PlainModel.Continue(model, started, 12), Generate(model, started, options));
        // Only what is left of the prompt can matter.
        Assert.Equal(Generate(model, prompt[^(Context / 2)..], options), Generate(model, prompt, options));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void GenerateBatch_SlideRowsOfDifferentLengths_EqualsAPlainLoopForEach(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[][] prompts = [PlainModel.Prompt(model, 90, 7), PlainModel.Prompt(model, 3, 8), PlainModel.Prompt(model, 60, 9)];

        IReadOnlyList<GeneratedSequence> together = TextGenerator.GenerateBatch(
            model, prompts, s_sliding with { MaxNewTokens = 80 }, TestContext.Current.CancellationToken);

        Assert.All(
            prompts.Zip(together),
            pair => Assert.Equal(PlainModel.Continue(model, pair.First, 80), pair.Second.Tokens.Select(token => token.Id)));
    }

    /// <summary>The padding before the shorter one goes beyond the context; its own text does not.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void GenerateBatch_TheLongestRowEnds_TheOthersKeepTheirPositions(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[] longest = PlainModel.Prompt(model, 60, 10);
        int end = PlainModel.ArgMax(model, longest);
        (int[] prompt, int[] expected) = Enumerable.Range(20, 200)
            .Select(seed => PlainModel.Prompt(model, 4, seed))
            .Select(prompt => (prompt, PlainModel.Continue(model, prompt, 30)))
            .First(item => !item.Item2.Contains(end));

        IReadOnlyList<GeneratedSequence> together = TextGenerator.GenerateBatch(
            model, [longest, prompt], s_sliding with { EosIds = [end], MaxNewTokens = 30 }, TestContext.Current.CancellationToken);

        Assert.Empty(together[0].Tokens);
        Assert.Equal(expected, together[1].Tokens.Select(token => token.Id));
    }

    private static IEnumerable<int> Generate(CausalLanguageModel model, int[] prompt, GenerationOptions options) =>
        TextGenerator.Generate(model, prompt, options, TestContext.Current.CancellationToken);
}
