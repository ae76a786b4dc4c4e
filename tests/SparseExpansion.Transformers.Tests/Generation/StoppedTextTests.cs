using SparseExpansion.Models;
using SparseExpansion.Models.Generation;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers.Generation;

/// <summary>Texts of the sample's model that something ends, and what the penalty makes of them.</summary>
public sealed class StoppedTextTests : IDisposable
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "samples", "QuickStart", "model");

    private readonly CausalLanguageModel _model = PretrainedModel.Load(s_folder);
    private readonly TextTokenizer _tokenizer = TextTokenizer.Load(s_folder);
    private readonly GenerationOptions _options = new() { MaxNewTokens = 30, EosIds = [] };

    public void Dispose() => _model.Dispose();

    [Fact]
    public void GenerateText_StopStringSpansTokens_EndsBeforeItAndGivesNoPartOfIt()
    {
        string[] free = Pieces(_options);
        string text = string.Concat(free);
        // From the middle of one piece to the middle of another.
        int start = free[..10].Sum(piece => piece.Length) + (free[10].Length / 2);
        string stop = text[start..(start + free[10].Length + 2)];
        string expected = text[..text.IndexOf(stop, StringComparison.Ordinal)];

        string[] pieces = Pieces(_options with { StopStrings = ["never there", stop] });

        Assert.Equal(expected, string.Concat(pieces));
    }

    [Fact]
    public void ContinueText_AnyEnd_SaysWhichAndHowManyTokens()
    {
        string text = string.Concat(Pieces(_options));
        int[] ids = [.. TextGenerator.Generate(_model, _tokenizer.Encode("Once upon a time"), _options, TestContext.Current.CancellationToken)];

        Assert.Equal((FinishReason.Length, 30), End(_options));
        Assert.Equal(FinishReason.StopString, End(_options with { StopStrings = [text[5..8]] }).Item1);
        Assert.Equal(
            (FinishReason.EndToken, ids.TakeWhile(id => id != ids[12]).Count()),
            End(_options with { EosIds = [ids[12]] }));
    }

    [Fact]
    public void Generate_RepetitionPenalty_IsThatOfAPlainReference()
    {
        const double penalty = 1.8;
        List<int> ids = [.. _tokenizer.Encode("Once upon a time", false)];
        int prompt = ids.Count;
        for (int i = 0; i < 15; i++)
        {
            float[] logits = PlainModel.LastLogits(_model, ids);
            ids.Distinct().ToList()
                .ForEach(id => logits[id] = (float)(logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty));
            ids.Add(Array.IndexOf(logits, logits.Max()));
        }

        var options = new GenerationOptions { MaxNewTokens = 15, EosIds = [], RepetitionPenalty = penalty };
        int[] penalized =
            [.. TextGenerator.Generate(_model, ids[..prompt], options, TestContext.Current.CancellationToken)];
        int[] plain = [.. TextGenerator.Generate(_model, ids[..prompt], options with { RepetitionPenalty = 1 }, TestContext.Current.CancellationToken)];

        Assert.Equal(ids[prompt..], penalized);
        Assert.NotEqual(plain, penalized);
    }

    [Fact]
    public void Generate_BadLimits_Throws()
    {
        int[] prompt = [.. _tokenizer.Encode("Once")];
        Assert.Throws<ArgumentOutOfRangeException>(
            () => TextGenerator.Generate(_model, prompt, new GenerationOptions { MinP = 1.5 }, CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => TextGenerator.Generate(_model, prompt, new GenerationOptions { MinP = double.NaN }, CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => TextGenerator.Generate(_model, prompt, new GenerationOptions { RepetitionPenalty = 0 }, CancellationToken.None));
        Assert.Throws<ArgumentException>(() => TextGenerator.Generate(_model, prompt, new GenerationOptions { StopStrings = ["a", ""] }, CancellationToken.None));
        Assert.Throws<ArgumentException>(() => TextGenerator.Generate(_model, prompt, new GenerationOptions { StopStrings = ["a"] }, CancellationToken.None));
    }

    private string[] Pieces(GenerationOptions options) =>
        [.. TextGenerator.GenerateText(_model, _tokenizer, "Once upon a time", options, TestContext.Current.CancellationToken)];

    private (FinishReason?, int) End(GenerationOptions options)
    {
        TextRun continuation = TextRun.Create(new ModelSequences(_model), _tokenizer, "Once upon a time", options);
        Assert.All(continuation.Pieces(TestContext.Current.CancellationToken), Assert.NotEmpty);
        return (continuation.Finish, continuation.NewTokens);
    }
}
