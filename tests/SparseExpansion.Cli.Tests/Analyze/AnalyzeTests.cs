using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SparseExpansion.Cli.Analyze.Measuring;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Testing;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Analyze;

public sealed partial class AnalyzeTests : IDisposable
{
    private const int Neurons = 2 * (64 + 64 + 32);
    private static readonly string[] s_figures = ["ablation", "difficulty", "distributions", "improvement", "tokens", "wasserstein"];

    private readonly TinyModel _tiny = new();

    private string Output => _tiny.Path("analysis");

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void Run_TinyModel_WritesEveryFile()
    {
        ToolRun run = Command().Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(Path.Combine(Output, "report.html"), run.Output, StringComparison.Ordinal);
        Assert.Equal(
            ["figures", "neurons.csv", "report.html", "results.json"],
            Directory.EnumerateFileSystemEntries(Output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(
            s_figures.SelectMany(name => new[] { name + ".png", name + ".svg" }),
            Directory.EnumerateFiles(Path.Combine(Output, "figures")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(s_figures, name => Assert.Equal("PNG", File.ReadAllText(Path.Combine(Output, "figures", name + ".png")).Substring(1, 3)));
        AssertTable();
        AssertResults();
        AssertSelfContained(File.ReadAllText(Path.Combine(Output, "report.html")));
    }

    [Fact]
    public void Json_Asked_HasTheClaims()
    {
        JsonElement json = Command().With("--targets", "*.0.mlp.up_proj").With("--json").Run().Json();
        Assert.Equal(Output, json.GetProperty("outputFolder").GetString());
        Assert.Equal(1, json.GetProperty("layers").GetInt32());
        Assert.Equal(5, json.GetProperty("claims").GetArrayLength());
        Assert.All(json.GetProperty("claims").EnumerateArray(), claim =>
        {
            Assert.True(Enum.TryParse(claim.GetProperty("verdict").GetString(), out Verdict _));
            Assert.NotEmpty(claim.GetProperty("summary").GetString()!);
        });
    }

    [Fact]
    public void SameSeed_GivesTheSameNumbers()
    {
        CommandLine line = Command().With("--targets", "*.1.mlp.down_proj").With("--text", _tiny.Text).Without("--tokens").With("--context", "16");
        Assert.Equal(0, line.Run().ExitCode);
        Assert.Equal(0, line.With("--output", _tiny.Path("again")).Run().ExitCode);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Output, "neurons.csv")), File.ReadAllBytes(Path.Combine(_tiny.Path("again"), "neurons.csv")));
    }

    [Fact]
    public void Canceled_LeavesNothing()
    {
        string[] entries = _tiny.Entries();
        ToolRun run = ToolRun.Of(Command().Arguments(), new CancellationToken(canceled: true));
        Assert.Equal((130, "sparse-expand: interrupted."), (run.ExitCode, run.Error.Trim()));
        Assert.Equal(entries, _tiny.Entries());
    }

    [Theory]
    [InlineData("--experts", "1", "above 1")]
    [InlineData("--experts", "2,2", "distinct")]
    [InlineData("--experts", "2;4", "--experts '2;4'")]
    [InlineData("--experts", "0,4", "at least 1")]
    [InlineData("--experts", "97", "model.layers.0.mlp")]
    [InlineData("--sparsity", "0", "between 0 and 1")]
    [InlineData("--sparsity", "1", "between 0 and 1")]
    [InlineData("--sparsity", "2:4", "--sparsity '2:4'")]
    [InlineData("--seed", "-1", "--seed")]
    [InlineData("--targets", "*.nothing.*", "--targets '*.nothing.*': no linear layer matches")]
    [InlineData("--max-windows", "1", "--tokens")]
    [InlineData("--context", "1", "--context")]
    [InlineData("--model", "nowhere", "--model nowhere")]
    [InlineData("--tokens", "nowhere:x", "--tokens nowhere:x")]
    [InlineData("--device", "tpu", "cuda")]
    public void Value_Bad_IsOneLineAndLeavesNothing(string option, string value, string reason)
    {
        string[] entries = _tiny.Entries();
        Command().With(option, value).Run().AssertRefused(reason);
        Assert.Equal(entries, _tiny.Entries());
    }

    [Fact]
    public void Output_TakenOrMissing_NamesTheOption()
    {
        Command().Without("--output").Run().AssertRefused("--output");
        Command().With("--output", _tiny.Text).Run().AssertRefused("--output", "is a file");
        Command().With("--output", _tiny.Model).Run().AssertRefused("--output", _tiny.Model, "contains the model itself");
        Command().With("--text", _tiny.Text).Run().AssertRefused("not both");
    }

    [Fact]
    public void Model_Expanded_IsRefused()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        Command().With("--model", _tiny.Output).Run().AssertRefused("--model", "expanded");
    }

    [Fact]
    public void Measuring_Twice_LeavesNoTensorsAndTheModelAsItWas()
    {
        using CausalLanguageModel model = PretrainedModel.Load(_tiny.Model);
        TokenWindows windows = SparseExpansion.Cli.Options.TokenFile.Read(_tiny.Tokens);
        var settings = new AnalyzeSettings(["*.0.mlp.up_proj"], [1, 2], 0.5, 0);
        double before = Perplexity.Evaluate(model, windows).Perplexity;
        LeakCheck.NoTensorsLeft(() => new ModelAnalysis(model, settings, (_, _, _) => { }, CancellationToken.None).Run(_tiny.Model, windows, windows));
        Assert.Equal(before, Perplexity.Evaluate(model, windows).Perplexity);
    }

    [Fact]
    public void TinyStories_Clusters_LowerTheWassersteinDistanceMoreThanRandomOnes()
    {
        string? model = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(model is null, SharedData.Missing);
        JsonElement json = Command().With("--model", model).With("--tokens", Path.Combine(model!, "tokens.safetensors") + ":calibration")
            .With("--max-windows", "32").With("--targets", "*.1.mlp.down_proj").With("--experts", "8").With("--json").Run().Json();
        JsonElement values = json.GetProperty("claims")[0].GetProperty("evidence")[0].GetProperty("values");
        double clustered = values.GetProperty("medianChange").GetDouble();
        Assert.InRange(clustered, -0.9, -0.1);
        Assert.InRange(values.GetProperty("medianChangeRandomClusters").GetDouble(), clustered, 0.2);
        Assert.InRange(json.GetProperty("claims")[1].GetProperty("evidence")[0].GetProperty("values").GetProperty("densePerplexity").GetDouble(), 30, 60);
    }

    private CommandLine Command() => _tiny.Command("analyze").With("--tokens", _tiny.Tokens).With("--output", Output).With("--experts", "2,3");

    private void AssertTable()
    {
        string[][] rows = [.. File.ReadAllLines(Path.Combine(Output, "neurons.csv")).Select(line => line.Split(','))];
        Assert.Equal(1 + Neurons, rows.Length);
        Assert.Equal(["layer", "neuron", "wasserstein_neuron", "constant", "w1", "mapping_difficulty"], rows[0][..6]);
        Assert.Contains("ri_3", rows[0]);
        Assert.All(rows, row => Assert.Equal(rows[0].Length, row.Length));
        Assert.All(rows[1..], row => Assert.All(row[1..], cell => double.Parse(cell, CultureInfo.InvariantCulture)));
        int single = Array.IndexOf(rows[0], "ri_1");
        Assert.All(rows[1..], row => Assert.Equal("1", row[single]));
        Assert.Equal(2 * (2 + 2 + 1), rows[1..].Count(row => row[2] == "1"));
    }

    private void AssertResults()
    {
        using JsonDocument results = JsonDocument.Parse(File.ReadAllText(Path.Combine(Output, "results.json")));
        JsonElement root = results.RootElement;
        Assert.Equal((6, 6), (root.GetProperty("calibrationWindows").GetInt32(), root.GetProperty("measuredWindows").GetInt32()));
        Assert.Equal([1, 2, 3], root.GetProperty("settings").GetProperty("experts").EnumerateArray().Select(count => count.GetInt32()));
        JsonElement[] layers = [.. root.GetProperty("layers").EnumerateArray()];
        Assert.Equal(TinyModel.Targets, layers.Length);
        Assert.Equal(Neurons, layers.Sum(layer => layer.GetProperty("neurons").GetArrayLength()));
        foreach (JsonElement point in layers.SelectMany(layer => layer.GetProperty("expansions").EnumerateArray()))
        {
            Assert.Equal(6 * TinyModel.Context, point.GetProperty("tokensPerExpert").EnumerateArray().Sum(count => count.GetInt64()));
        }

        JsonElement ablation = root.GetProperty("ablation");
        Assert.Equal(10, ablation.GetProperty("neurons").GetInt32());
        Assert.Equal(6 * (4 + 10), ablation.GetProperty("points").GetArrayLength());
    }

    private static void AssertSelfContained(string html)
    {
        Assert.DoesNotMatch(ForeignResource(), html);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Equal(3 + 6 + 6 + 6 + 1 + 4, html.Split("<svg ").Length - 1);
        string[] ids = [.. Id().Matches(html).Select(match => match.Groups[1].Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(Reference().Matches(html), match => Assert.Contains(match.Groups[1].Value, ids));
    }

    [GeneratedRegex("""<script|<link|<img|<iframe|@import|\b(src|href)\s*=|url\((?!#)""", RegexOptions.IgnoreCase)]
    private static partial Regex ForeignResource();

    [GeneratedRegex("\\bid=\"([^\"]*)\"")]
    private static partial Regex Id();

    [GeneratedRegex("url\\(#([^)]*)\\)")]
    private static partial Regex Reference();
}
