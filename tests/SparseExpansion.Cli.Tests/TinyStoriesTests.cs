using System.Text.Json;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>The tool on a trained model.</summary>
public sealed class TinyStoriesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public TinyStoriesTests()
    {
        string? model = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(model is null, SharedData.Missing);
        _model = model!;
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Evaluate_Dense_IsTheKnownPerplexity()
    {
        JsonElement json = ToolRun.Of("evaluate", "--model", _model, "--tokens", Tokens("evaluation"), "--json").Json();
        Assert.Equal(30.655, json.GetProperty("perplexity").GetDouble(), 0.02);
        Assert.Equal(128 * 255, json.GetProperty("predictedTokens").GetInt32());
    }

    [Fact]
    public void Evaluate_TextAndItsTokens_AreEqual()
    {
        string? text = SharedData.TryFind("text/tinystories.txt");
        Assert.SkipWhen(text is null, SharedData.Missing);
        Assert.Equal(
            Evaluate(_model, "--tokens", Tokens("calibration"), "--max-windows", "16"),
            Evaluate(_model, "--text", text!, "--context", "256", "--max-windows", "16"));
    }

    [Fact]
    public void Expand_SavedModel_HasThePerplexityFromBeforeSaving()
    {
        const int Windows = 32;
        string folder = _folder.File("expanded");
        ToolRun run = ToolRun.Of(
            "expand", "--model", _model, "--output", folder, "--tokens", Tokens("calibration"), "--max-windows", $"{Windows}", "--sparsity", "0.5",
            "--experts", "4", "--pca-reduction", "4");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(PerplexityBeforeSaving(Windows), Evaluate(folder, "--tokens", Tokens("evaluation"), "--max-windows", "32"));
    }

    [Fact]
    public void Generate_Greedy_IsTheReference()
    {
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(_model, "reference.json")));
        string prompt = reference.RootElement.GetProperty("prompt").GetString()!;
        string expected = reference.RootElement.GetProperty("greedy_text").GetString()!;
        int tokens = reference.RootElement.GetProperty("greedy_ids").GetArrayLength() - reference.RootElement.GetProperty("prompt_ids").GetArrayLength();
        ToolRun run = ToolRun.Of("generate", "--model", _model, "--prompt", prompt, "--max-tokens", $"{tokens}");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(expected[expected.IndexOf(prompt, StringComparison.Ordinal)..], run.Output.TrimEnd('\n', '\r'));
    }

    private double PerplexityBeforeSaving(int windows)
    {
        using CausalLanguageModel model = PretrainedModel.Load(_model);
        TokenWindows calibration = TokenWindows.FromSafetensors(Path.Combine(_model, "tokens.safetensors"), "calibration").Take(windows);
        Tensor[] batches = [.. calibration.Batches(BatchSize.For(calibration.Context))];
        using ExpansionResult result = model.Expand()
            .Blocks(m => m.Blocks)
            .Targets("*.mlp.*")
            .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = 4 })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn(batches)
            .Run();
        TokenWindows evaluation = TokenWindows.FromSafetensors(Path.Combine(_model, "tokens.safetensors"), "evaluation").Take(32);
        double perplexity = Perplexity.Evaluate(model, evaluation, new PerplexityOptions { BatchSize = BatchSize.For(evaluation.Context) }).Perplexity;
        Array.ForEach(batches, batch => batch.Dispose());
        return perplexity;
    }

    private string Tokens(string tensor) => Path.Combine(_model, "tokens.safetensors") + ":" + tensor;

    private static double Evaluate(string model, params string[] source) =>
        ToolRun.Of(["evaluate", "--model", model, .. source, "--json"]).Json().GetProperty("perplexity").GetDouble();
}
