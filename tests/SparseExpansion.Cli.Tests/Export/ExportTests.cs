using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Export;

public sealed class ExportTests : IDisposable
{
    private const string Weight = "model.layers.0.mlp.up_proj.experts.weight";

    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void Dense_ThenPacked_GivesTheFirstFilesAgain()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);

        Export(_tiny.Output, _tiny.Path("dense"), "dense");
        Export(_tiny.Path("dense"), _tiny.Path("packed"), "packed");

        Assert.Equal([3, 64, 32], ExpandedModel.ListTensors(_tiny.Path("dense"))[Weight].Shape);
        foreach (string file in Directory.GetFiles(_tiny.Output))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(_tiny.Path("packed"), Path.GetFileName(file))));
        }
    }

    [Fact]
    public void ExpandDense_WritesWhatExportWrites()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        Export(_tiny.Output, _tiny.Path("dense"), "dense");

        Assert.Equal(0, _tiny.Command("expand").With("--output", _tiny.Path("direct")).With("--format", "dense").Run().ExitCode);

        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_tiny.Path("dense"), "experts.safetensors")),
            File.ReadAllBytes(Path.Combine(_tiny.Path("direct"), "experts.safetensors")));
    }

    [Fact]
    public void Evaluate_AnyFormatAndPlace_GivesTheSamePerplexity()
    {
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        Export(_tiny.Output, _tiny.Path("dense"), "dense");
        double Perplexity(CommandLine line) => line.With("--json").Run().Json().GetProperty("perplexity").GetDouble();

        double mapped = Perplexity(_tiny.Command("evaluate").With("--model", _tiny.Output));

        Assert.Equal(mapped, Perplexity(_tiny.Command("evaluate").With("--model", _tiny.Output).With("--no-memory-map")));
        Assert.Equal(mapped, Perplexity(_tiny.Command("evaluate").With("--model", _tiny.Path("dense"))), 1e-3 * mapped);
    }

    [Fact]
    public void BadFolders_AreRefused()
    {
        string other = _tiny.Path("other");
        ToolRun.Of("export", "--model", _tiny.Path("missing"), "--output", other, "--format", "dense").AssertRefused("--model", "no such folder");
        ToolRun.Of("export", "--model", _tiny.Model, "--output", other, "--format", "dense").AssertRefused("--model", "not expanded");
        Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);
        ToolRun.Of("export", "--model", _tiny.Output, "--output", _tiny.Output, "--format", "dense", "--overwrite").AssertRefused("--output");
        ToolRun.Of("export", "--model", _tiny.Output, "--output", other, "--format", "origami").AssertRefused("origami");
        ToolRun.Of("export", "--model", _tiny.Output, "--output", other).AssertRefused("--format");
        Assert.False(Directory.Exists(other));
    }

    private static void Export(string model, string output, string format)
    {
        ToolRun run = ToolRun.Of("export", "--model", model, "--output", output, "--format", format);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(output, run.Output, StringComparison.Ordinal);
    }
}
