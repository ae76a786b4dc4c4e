using System.Text.Json;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Evaluate;

public sealed class EvaluateTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void Json_HasThePropertiesAndNothingElse()
    {
        JsonElement json = _tiny.Command("evaluate").With("--json").Run().Json();
        Assert.Equal(
            ["perplexity", "nllPerToken", "predictedTokens", "windows", "context", "seconds"], json.EnumerateObject().Select(property => property.Name));
        Assert.Equal(TinyModel.Windows, json.GetProperty("windows").GetInt32());
        Assert.Equal(TinyModel.Context, json.GetProperty("context").GetInt32());
        Assert.Equal(TinyModel.Windows * (TinyModel.Context - 1), json.GetProperty("predictedTokens").GetInt32());
        Assert.Equal(Math.Exp(json.GetProperty("nllPerToken").GetDouble()), json.GetProperty("perplexity").GetDouble());
    }

    [Fact]
    public void Json_EqualsTheLibrary()
    {
        using CausalLanguageModel model = PretrainedModel.Load(_tiny.Model);
        PerplexityResult expected = Perplexity.Evaluate(model, TokenWindows.FromSafetensors(_tiny.TokenFile, "windows"));
        Assert.Equal(expected.Perplexity, EvaluatedPerplexity(_tiny.Command("evaluate")), 4);
    }

    [Fact]
    public void Engine_IsManaged_GivesTheSamePerplexity()
    {
        Assert.Equal(
            EvaluatedPerplexity(_tiny.Command("evaluate")),
            EvaluatedPerplexity(_tiny.Command("evaluate").With("--engine", "managed")), 3);
        ToolRun refused = _tiny.Command("evaluate").With("--engine", "managed").With("--dtype", "bfloat16").Run();
        Assert.Contains("--dtype: is for --engine torch", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Context_CutsEachWindow()
    {
        JsonElement json = _tiny.Command("evaluate").With("--context", "7").With("--json").Run().Json();
        Assert.Equal((7, 2 * TinyModel.Windows), (json.GetProperty("context").GetInt32(), json.GetProperty("windows").GetInt32()));
        json = _tiny.Command("evaluate").With("--context", "7").With("--max-windows", "3").With("--json").Run().Json();
        Assert.Equal(3, json.GetProperty("windows").GetInt32());
    }

    [Fact]
    public void Text_DefaultContext_IsThatOfTheModel()
    {
        JsonElement json = _tiny.Command("evaluate").Without("--tokens").With("--text", _tiny.Text).With("--json").Run().Json();
        Assert.Equal(TinyModel.MaxPositions, json.GetProperty("context").GetInt32());
    }

    [Fact]
    public void Int32Tokens_AreTheSame() =>
        Assert.Equal(
            EvaluatedPerplexity(_tiny.Command("evaluate")),
            EvaluatedPerplexity(_tiny.Command("evaluate").With("--tokens", _tiny.TokenFile + ":narrow")));

    [Fact]
    public void Text_GivesPerplexityAndCounts()
    {
        ToolRun run = _tiny.Command("evaluate").Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("perplexity ", run.Output, StringComparison.Ordinal);
        Assert.Contains("180 predictions in 12 windows of 16 tokens", run.Output, StringComparison.Ordinal);
    }

    private static double EvaluatedPerplexity(CommandLine line) => line.With("--json").Run().Json().GetProperty("perplexity").GetDouble();
}
