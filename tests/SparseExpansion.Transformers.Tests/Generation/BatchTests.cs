using SparseExpansion.Models;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers.Generation;

/// <summary>Prompts that are continued together get what they get one by one.</summary>
public sealed class BatchTests : IDisposable
{
    private static readonly int[][] s_prompts = [[5, 9, 2], [7], [3, 9, 27, 81, 1, 7, 5], [11, 30]];
    private static readonly GenerationOptions s_endless = new() { MaxNewTokens = 20, EosIds = [] };

    private readonly CausalLanguageModel _model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void GenerateBatch_RowsEndAtDifferentTimes_GivesEachWhatItGetsAlone()
    {
        int[][] endless = [.. s_prompts.Select(prompt => Alone(prompt, s_endless))];
        GenerationOptions options = s_endless with { EosIds = [endless[0][2], endless[2][9]] };

        IReadOnlyList<GeneratedSequence> together = Batch(s_prompts, options);

        int[][] expected = [.. endless.Select(ids => ids.TakeWhile(id => !options.EosIds.Contains(id)).ToArray())];
        Assert.Equal(expected, together.Select(row => row.Tokens.Select(token => token.Id).ToArray()));
        Assert.Equal(
            expected.Select(ids => ids.Length < 20 ? FinishReason.EndToken : FinishReason.Length),
            together.Select(row => row.FinishReason));
        Assert.True(expected.Select(ids => ids.Length).Distinct().Count() > 1);
    }

    [Fact]
    public void GenerateBatch_Sampled_GivesRowNWhatItGetsAloneWithTheSeedPlusN()
    {
        GenerationOptions options = s_endless with { Temperature = 1.5, Seed = 40, RepetitionPenalty = 1.1 };

        IReadOnlyList<GeneratedSequence> together = Batch(s_prompts, options);

        Assert.Equal(
            s_prompts.Select((prompt, row) => Alone(prompt, options with { Seed = 40 + row })),
            together.Select(row => row.Tokens.Select(token => token.Id).ToArray()));
    }

    [Fact]
    public void GenerateBatch_EqualPromptsSampled_GiveDifferentTokens() =>
        Assert.Equal(4, Batch([[5], [5], [5], [5]], s_endless with { Temperature = 2 })
            .Select(row => string.Join(' ', row.Tokens.Select(token => token.Id))).Distinct().Count());

    [Fact]
    public void GenerateTexts_StopStringsEndRowsAtDifferentTimes_GivesEachWhatItGetsAlone()
    {
        using CausalLanguageModel model = PretrainedModel.Load(SampleFolder.Path);
        TextTokenizer tokenizer = TextTokenizer.Load(SampleFolder.Path);
        string[] prompts = ["Once upon a time", "The", "There was a little dog who"];
        string[] Texts(GenerationOptions options) => [.. prompts.Select(prompt => string.Concat(
            TextGenerator.GenerateText(model, tokenizer, prompt, options, TestContext.Current.CancellationToken)))];
        string[] free = Texts(s_endless);
        GenerationOptions options = s_endless with { StopStrings = [free[0][4..8], free[2][12..15]] };
        string[] expected = Texts(options);

        IReadOnlyList<GeneratedText> together =
            TextGenerator.GenerateTexts(model, tokenizer, prompts, options, TestContext.Current.CancellationToken);

        Assert.Equal(expected, together.Select(text => text.Text));
        Assert.Equal(
            expected.Zip(free).Select(pair => pair.First == pair.Second ? FinishReason.Length : FinishReason.StopString),
            together.Select(text => text.FinishReason));
        Assert.Equal(prompts.Select(prompt => tokenizer.Encode(prompt).Count), together.Select(text => text.PromptTokens));
        Assert.True(together.Select(text => text.Tokens.Count).Distinct().Count() > 1);
        Assert.Empty(TextGenerator.GenerateTexts(model, tokenizer, [], options, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void GenerateText_EnumeratedTwice_GivesTheSameTextTwice()
    {
        using CausalLanguageModel model = PretrainedModel.Load(SampleFolder.Path);
        TextTokenizer tokenizer = TextTokenizer.Load(SampleFolder.Path);
        IEnumerable<string> pieces = TextGenerator.GenerateText(
            model, tokenizer, "Once upon a time", s_endless with { StopStrings = ["\0"] }, TestContext.Current.CancellationToken);

        string[] first = [.. pieces];
        string[] second = [.. pieces];

        Assert.NotEmpty(string.Concat(first));
        Assert.Equal(first, second);
    }

    [Fact]
    public void GenerateBatch_NoPrompts_GivesNothing() => Assert.Empty(Batch([], s_endless));

    [Fact]
    public void GenerateBatch_BadPromptInTheMiddle_IsNamedBeforeTheModelRuns()
    {
        int passes = 0;
        using var hook = new PassHook(_model, () => passes++);
        string Message(int[] prompt, GenerationOptions? options = null) =>
            Assert.ThrowsAny<ArgumentException>(() => Batch([[5], prompt, [7]], options ?? s_endless)).Message;

        Assert.StartsWith("Prompt 1, counted from 0, has no tokens.", Message([]), StringComparison.Ordinal);
        Assert.StartsWith("Prompt 1, counted from 0, has ids outside of the vocabulary", Message([2, -1]), StringComparison.Ordinal);
        Assert.StartsWith("Prompt 1, counted from 0, is null.", Message(null!), StringComparison.Ordinal);
        int context = _model.Config.MaxPositions;
        Assert.StartsWith(
            $"Prompt 1, counted from 0, has {context - 5} tokens",
            Message([.. Enumerable.Repeat(3, context - 5)]), StringComparison.Ordinal);
        Assert.Equal(0, passes);
    }

    [Fact]
    public void GenerateBatch_Canceled_EndsWithinOneStepAndLeavesNoTensors()
    {
        int passes = 0;
        CancellationTokenSource? source = null;
        using var hook = new PassHook(_model, () =>
        {
            if (++passes == 3)
            {
                source!.Cancel();
            }
        });

        LeakCheck.NoTensorsLeft(() =>
        {
            passes = 0;
            using (source = new CancellationTokenSource())
            {
                Assert.Throws<OperationCanceledException>(
                    () => TextGenerator.GenerateBatch(_model, s_prompts, s_endless, source.Token));
            }

            Assert.Equal(3, passes);
        });
    }

    [Fact]
    public void GenerateBatch_RowsEndAndTheContextSlides_LeaveNoTensors()
    {
        int[][] endless = [.. s_prompts.Select(prompt => Alone(prompt, s_endless))];
        GenerationOptions options = new()
        {
            EosIds = [endless[2][9]],
            MaxNewTokens = _model.Config.MaxPositions + 5,
            Overflow = ContextOverflow.Slide,
        };
        LeakCheck.NoTensorsLeft(() => Assert.Equal(4, Batch(s_prompts, options).Count));
    }

    private IReadOnlyList<GeneratedSequence> Batch(int[][] prompts, GenerationOptions options) =>
        TextGenerator.GenerateBatch(_model, prompts, options, TestContext.Current.CancellationToken);

    private int[] Alone(int[] prompt, GenerationOptions options) =>
        [.. TextGenerator.Generate(_model, prompt, options, TestContext.Current.CancellationToken)];
}
