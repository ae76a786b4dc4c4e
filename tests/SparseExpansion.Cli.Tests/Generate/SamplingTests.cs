using System.Text.Json;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Generate;

/// <summary>Options that choose tokens and end texts.</summary>
public sealed class SamplingTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("--top-k", "1")]
    [InlineData("--top-p", "1e-9")]
    [InlineData("--min-p", "1")]
    public void Limit_ToTheMostProbable_IsGreedyWhateverTheTemperature(string option, string value) =>
        Assert.Equal(Text(_tiny.Command("generate")), Text(_tiny.Command("generate").With("--temperature", "5").With(option, value)));

    [Theory]
    [InlineData("--top-k", "0")]
    [InlineData("--top-p", "1")]
    [InlineData("--min-p", "0")]
    [InlineData("--repetition-penalty", "1")]
    public void Limit_ThatLimitsNothing_ChangesNothing(string option, string value)
    {
        CommandLine line = _tiny.Command("generate").With("--temperature", "2").With("--max-tokens", "20");
        Assert.Equal(Text(line), Text(line.With(option, value)));
    }

    [Fact]
    public void RepetitionPenalty_IsThatOfTheLibrary()
    {
        using CausalLanguageModel model = PretrainedModel.Load(_tiny.Model);
        var options = new GenerationOptions { MaxNewTokens = 20, RepetitionPenalty = 1.5 };
        string expected = string.Concat(TextGenerator.GenerateText(model, TextTokenizer.Load(_tiny.Model), "line 7", options, TestContext.Current.CancellationToken));
        CommandLine line = _tiny.Command("generate").With("--max-tokens", "20");
        Assert.NotEqual(expected, Text(line));
        Assert.Equal(expected, Text(line.With("--repetition-penalty", "1.5")));
    }

    [Fact]
    public void Stop_Repeated_EndsAtTheFirst()
    {
        string text = Text(_tiny.Command("generate").With("--max-tokens", "20"));
        string stop = text[3..5];
        string[] arguments = [.. _tiny.Command("generate").With("--max-tokens", "20").Arguments(), "--stop", "no such text", "--stop", stop, "--json"];
        JsonElement json = ToolRun.Of(arguments).Json();
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], json.GetProperty("text").GetString());
        Assert.Equal("stopString", json.GetProperty("finishReason").GetString());
    }

    [Fact]
    public void Json_TellsTokensAndWhyTheTextEnds()
    {
        JsonElement json = _tiny.Command("generate").With("--seed", "4").With("--json").Run().Json();
        Assert.Equal("line 7" + json.GetProperty("text").GetString(), _tiny.Command("generate").Run().Output.TrimEnd('\n', '\r'));
        Assert.Equal(("line 7", 6, 4), (json.GetProperty("prompt").GetString(), json.GetProperty("promptTokens").GetInt32(), json.GetProperty("seed").GetInt32()));
        Assert.Equal((5, "length"), (json.GetProperty("newTokens").GetInt32(), json.GetProperty("finishReason").GetString()));
    }

    [Theory]
    [InlineData("--top-k", "5")]
    [InlineData("--top-p", "0.9")]
    [InlineData("--min-p", "0.1")]
    public void Limit_WithoutTemperature_IsRefused(string option, string value) =>
        _tiny.Command("generate").With(option, value).Run().AssertRefused($"{option} has no effect with --temperature 0", "add --temperature 1");

    [Theory]
    [InlineData("--top-k", "-1")]
    [InlineData("--top-p", "0")]
    [InlineData("--top-p", "1.1")]
    [InlineData("--min-p", "-0.1")]
    [InlineData("--min-p", "NaN")]
    [InlineData("--repetition-penalty", "0")]
    [InlineData("--repetition-penalty", "much")]
    [InlineData("--stop", "")]
    public void Value_Bad_NamesOptionAndValue(string option, string value) =>
        _tiny.Command("generate").With("--temperature", "1").With(option, value).Run().AssertRefused($"{option} '{value}'");

    private static string Text(CommandLine line) => line.With("--json").Run().Json().GetProperty("text").GetString()!;
}
