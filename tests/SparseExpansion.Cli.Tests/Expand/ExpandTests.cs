using System.Text.Json;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Expand;

public sealed class ExpandTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void DType_BFloat16_StoresHalfTheBytesOfExperts()
    {
        long[] bytes = [.. new[] { "float32", "bfloat16" }.Select(dtype =>
        {
            string output = _tiny.Path(dtype);
            Assert.Equal(0, _tiny.Command("expand").With("--output", output).With("--dtype", dtype).With("--format", "dense").Run().ExitCode);
            Assert.Equal(0, _tiny.Command("evaluate").With("--model", output).With("--dtype", dtype).Run().ExitCode);
            return ExpandedModel.ListTensors(output).Values.Where(entry => entry.Name.Contains(".experts.", StringComparison.Ordinal)).Sum(entry => entry.ByteLength);
        })];
        Assert.Equal(bytes[0], 2 * bytes[1]);
    }

    [Fact]
    public void Json_IsTheReportWithMemoryAndFolder()
    {
        JsonElement json = _tiny.Command("expand").With("--json").Run().Json();
        Assert.Equal(
            ["manifest", "layers", "fineTuning", "seconds", "peakWorkingSetBytes", "outputFolder"], json.EnumerateObject().Select(property => property.Name));
        Assert.Equal(TinyModel.Targets, json.GetProperty("layers").GetArrayLength());
        Assert.True(json.GetProperty("peakWorkingSetBytes").GetInt64() > 1 << 20);
        Assert.Equal(_tiny.Output, json.GetProperty("outputFolder").GetString());
        Assert.Equal("0.5", json.GetProperty("manifest").GetProperty("sparsity").GetString());
    }

    [Theory]
    [InlineData("sparsegpt", "pca-kmeans", "0.5")]
    [InlineData("wanda", "kmeans", "2:4")]
    [InlineData("magnitude", "random", "0.25")]
    [InlineData("alps", "pca-kmeans", "2:4")]
    public void Output_HoldsWhatWasAskedFor(string pruner, string router, string sparsity)
    {
        CommandLine line = _tiny.Command("expand").With("--pruner", pruner).With("--router", router).With("--sparsity", sparsity);
        ToolRun run = (router == "pca-kmeans" ? line : line.Without("--pca-reduction")).Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        ExpansionManifest manifest = ExpansionReport.FromJson(File.ReadAllText(Path.Combine(_tiny.Output, ExpansionResult.ReportFileName))).Manifest;
        Assert.Equal((pruner, router, sparsity), (manifest.Pruner, manifest.Router, manifest.Sparsity));
        double share = sparsity == "0.25" ? 0.25 : 0.5;
        Assert.Equal(TinyModel.Targets, manifest.LayerSparsity.Count);
        Assert.All(manifest.LayerSparsity.Values, value => Assert.Equal(share, value, 3));
        Assert.True(File.Exists(Path.Combine(_tiny.Output, "tokenizer.json")));
    }

    [Fact]
    public void Refit_LowersTheErrorAndIsWrittenDown()
    {
        ExpansionReport plain = Report("--pruner", "wanda"), refitted = Report("--pruner", "wanda", "--refit");
        Assert.Equal("wanda+refit", refitted.Manifest.Pruner);
        Assert.Contains("Damping", refitted.Manifest.Settings, StringComparison.Ordinal);
        Assert.True(refitted.Layers[0].OutputError < plain.Layers[0].OutputError);
        Assert.All(refitted.Layers[0].ExpertReports, expert => Assert.Single(expert.Diagnostics.OfType<RefitReport>()));
        Assert.All(Report("--pruner", "alps").Layers[0].ExpertReports, expert => Assert.Single(expert.Diagnostics.OfType<Convergence>()));
        _tiny.Command("expand").With("--pruner", "alps").With("--refit").Run().AssertRefused("--refit", "alps");
    }

    [Theory]
    [InlineData("4", "row", "sparsegpt", null)]
    [InlineData("4", "64", "alps", 64)]
    [InlineData("8", "128", "wanda", 128)]
    [InlineData("2", "64", "sparsegpt", 64)]
    [InlineData("3", "row", "alps", null)]
    public void Bits_AreWrittenDownAndStored(string bits, string group, string pruner, int? groupSize)
    {
        ToolRun run = _tiny.Command("expand").With("--bits", bits).With("--quant-group", group).With("--pruner", pruner).Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        ExpansionReport report = ExpansionReport.FromJson(File.ReadAllText(Path.Combine(_tiny.Output, ExpansionResult.ReportFileName)));
        Assert.Equal($"{pruner}+{bits}bit", report.Manifest.Pruner);
        Assert.Contains($"Bits = {bits}, GroupSize = {groupSize}", report.Manifest.Settings, StringComparison.Ordinal);
        JsonElement mixture = ToolRun.Of("inspect", "--model", _tiny.Output, "--json").Json().GetProperty("mixtures")[0];
        Assert.Equal(int.Parse(bits, System.Globalization.CultureInfo.InvariantCulture), mixture.GetProperty("bits").GetInt32());
        Assert.Equal(0, ToolRun.Of("evaluate", "--model", _tiny.Output, "--tokens", _tiny.Tokens).ExitCode);
        _tiny.Command("expand").With("--quant-group", "64").Run().AssertRefused("--quant-group", "--bits");
        _tiny.Command("expand").With("--bits", "5").Run().AssertRefused("5", "8");
    }

    [Theory]
    [InlineData("4", "128")]
    [InlineData("2", "row")]
    public void DenseBits_AreStoredAndShown(string bits, string group)
    {
        ToolRun run = _tiny.Command("expand").With("--dense-bits", bits).With("--dense-quant-group", group).With("--bits", "4").Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"dense weights rounded to {bits} bits", run.Output, StringComparison.Ordinal);
        JsonElement json = ToolRun.Of("inspect", "--model", _tiny.Output, "--json").Json();
        Assert.All(
            json.GetProperty("linears").EnumerateArray().Append(json.GetProperty("embedding")),
            linear =>
            {
                Assert.Equal(bits, linear.GetProperty("bits").GetRawText());
                Assert.True(linear.GetProperty("bytesOnDisk").GetInt64() < linear.GetProperty("bytes").GetInt64() / 3);
            });
        Assert.Equal(0, ToolRun.Of("evaluate", "--model", _tiny.Output, "--tokens", _tiny.Tokens).ExitCode);
        _tiny.Command("expand").With("--dense-quant-group", "64").Run().AssertRefused("--dense-quant-group", "--dense-bits");
        _tiny.Command("expand").With("--dense-bits", "7").Run().AssertRefused("7", "8");
    }

    [Fact]
    public void FurtherOptions_ReachTheExpansion()
    {
        JsonElement json = _tiny.Command("expand").With("--shrink", "40").With("--min-tokens", "30").With("--refine-router", "1").With("--allocation", "error").With("--json").Run().Json();
        ExpansionReport report = ExpansionReport.FromJson(json.GetRawText());
        Assert.All(report.Layers, layer =>
        {
            Assert.Equal(40, layer.PriorTokens);
            Assert.NotNull(layer.RouterRefinement);
            Assert.All(layer.ExpertReports, expert => Assert.True(expert.Tokens >= 30));
        });
        Assert.True(report.Layers.Select(layer => layer.Sparsity).Distinct().Count() > 1);
        Assert.Contains("output error", report.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Recipe_IsTheStartThatOptionsChange()
    {
        CommandLine line = _tiny.Command("expand").Without("--experts").Without("--pca-reduction").With("--json");
        ExpansionReport best = Report(line.With("--recipe", "best").With("--fine-tune", "2"));
        Assert.Equal(("alps", "kmeans", 2), (best.Manifest.Pruner, best.Manifest.Router, best.FineTuning[0].Steps));
        Assert.All(best.Layers, layer => Assert.NotNull(layer.RouterRefinement));
        Assert.True(Compensates(best));

        ExpansionReport reduced = Report(line.With("--recipe", "best").With("--fine-tune", "0").With("--compensate", "false").With("--refine-router", "0").With("--pruner", "wanda").With("--experts", "2"));
        Assert.Equal(("wanda", 2), (reduced.Manifest.Pruner, reduced.Layers[0].Experts));
        Assert.Empty(reduced.FineTuning);
        Assert.False(Compensates(reduced));
        Assert.Null(reduced.Layers[0].RouterRefinement);

        ExpansionReport fast = Report(line.With("--recipe", "fast").Without("--experts").With("--compensate", "true"));
        Assert.Equal((4, true), (fast.Layers[0].Experts, Compensates(fast)));

        static bool Compensates(ExpansionReport report) => report.Manifest.Settings.Contains("ErrorCompensation", StringComparison.Ordinal);

        ExpansionReport Report(CommandLine arguments) => ExpansionReport.FromJson(arguments.With("--overwrite").Run().Json().GetRawText());
    }

    [Fact]
    public void Text_CalibratesToo()
    {
        JsonElement json = _tiny.Command("expand").Without("--tokens").With("--text", _tiny.Text).With("--context", "32").With("--max-windows", "4").With("--json").Run().Json();
        Assert.Equal(4 * 32, json.GetProperty("layers")[0].GetProperty("tokens").GetInt32());
    }

    [Fact]
    public void Targets_SeveralPatterns_AreUnited()
    {
        string[] arguments = [.. _tiny.Command("expand").With("--json").Arguments(), "--targets", "*.q_proj", "--targets", "*.0.mlp.up_proj"];
        JsonElement json = ToolRun.Of(arguments).Json();
        Assert.Equal(
            ["model.layers.0.mlp.up_proj", "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"],
            json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void SameSeed_GivesTheSameExperts()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        byte[] first = File.ReadAllBytes(Path.Combine(_tiny.Output, "experts.safetensors"));
        Assert.Equal(0, _tiny.Command("expand").With("--overwrite").Run().ExitCode);
        Assert.Equal(first, File.ReadAllBytes(Path.Combine(_tiny.Output, "experts.safetensors")));
    }

    [Fact]
    public void Output_Exists_IsReplacedOnlyWhenAskedAndExpanded()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        _tiny.Command("expand").Run().AssertRefused("--output", _tiny.Output, "--overwrite");
        Directory.CreateDirectory(_tiny.Path("other"));
        File.WriteAllText(_tiny.Path("other/letter.txt"), "keep me");
        _tiny.Command("expand").With("--output", _tiny.Path("other")).With("--overwrite").Run().AssertRefused(_tiny.Path("other"), "something else");
        Assert.True(File.Exists(_tiny.Path("other/letter.txt")));
        _tiny.Command("expand").With("--output", _tiny.Text).Run().AssertRefused("--output", "is a file");
    }

    [Theory]
    [InlineData("model")]
    [InlineData(".")]
    public void Output_HoldsTheModel_IsRefused(string output) =>
        _tiny.Command("expand").With("--output", _tiny.Path(output)).With("--overwrite").Run().AssertRefused("--output", "the model itself");

    [Fact]
    public void Model_ExpandedAlready_IsRefused()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        _tiny.Command("expand").With("--model", _tiny.Output).With("--output", _tiny.Path("twice")).Run().AssertRefused("--model", "already expanded");
    }

    [Fact]
    public void ExpandedFolder_Damaged_NamesTheFile()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        string experts = Path.Combine(_tiny.Output, "experts.safetensors");
        byte[] bytes = File.ReadAllBytes(experts);
        File.WriteAllBytes(experts, bytes[..^9]);
        _tiny.Command("evaluate").With("--model", _tiny.Output).Run().AssertRefused(experts, "truncated");
        File.Delete(experts);
        _tiny.Command("evaluate").With("--model", _tiny.Output).Run().AssertRefused(experts);
        File.WriteAllText(Path.Combine(_tiny.Output, "expansion.json"), "{}");
        _tiny.Command("inspect").With("--model", _tiny.Output).Run().AssertRefused("expansion.json");
    }

    [Fact]
    public void Text_ShowsEveryLayerAndTheFolder()
    {
        ToolRun run = _tiny.Command("expand").Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(TinyModel.Targets, run.Output.Split('\n').Count(line => line.StartsWith("model.layers.", StringComparison.Ordinal)));
        Assert.EndsWith($"saved to {_tiny.Output}\n", run.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    private ExpansionReport Report(params string[] options)
    {
        CommandLine line = _tiny.Command("expand").With("--overwrite").With(options[0], options[1]);
        ToolRun run = (options.Length > 2 ? line.With(options[2]) : line).Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return ExpansionReport.FromJson(File.ReadAllText(Path.Combine(_tiny.Output, ExpansionResult.ReportFileName)));
    }
}
