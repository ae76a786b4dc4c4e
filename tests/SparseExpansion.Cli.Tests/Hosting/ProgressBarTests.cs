using Spectre.Console.Testing;

namespace SparseExpansion.Cli.Hosting;

/// <summary>The visible text of a bar.</summary>
public sealed class ProgressBarTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(50, " 25.0 % ")]
    [InlineData(50, "1/2 pruning gate_proj +1")]
    [InlineData(80, "block 1/2 pruning …0.mlp.gate_proj +1")]
    [InlineData(120, "block 1/2, 9:59:59 left pruning model.layers.0.mlp.gate_proj +1")]
    public void Run_LongText_ShowsTheFormThatFits(int width, string expected)
    {
        var text = new ProgressText(
            "block 1/2, 9:59:59 left pruning model.layers.0.mlp.gate_proj +1", "block 1/2 pruning …0.mlp.gate_proj +1", "1/2 pruning gate_proj +1", "1/2 pruning");
        string shown = Show(width, text);
        Assert.Contains(expected, shown, StringComparison.Ordinal);
        Assert.All(shown.Split('\n'), line => Assert.True(line.TrimEnd().Length <= width, line));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(120)]
    public void Expand_Watched_SaysBlockAndStage(int width)
    {
        using var console = new TestConsole();
        console.Width(width).Interactive();
        ToolRun run = ToolRun.Of(
            _tiny.Command("expand").With("--recipe", "best").With("--fine-tune", "20").Without("--pca-reduction").Arguments(),
            host => host with { ShowProgress = true, ProgressConsole = console });
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"\d/2(, \d+:\d\d left)? (discovery|calibration|routing|pruning|finetuning|propagation|packing)", console.Output);
        Assert.All(console.Lines, line => Assert.True(line.TrimEnd().Length <= width, line));
    }

    [Fact]
    public void Fit_NothingFits_CutsTheShortest() => Assert.Equal("s…st", new ProgressText("a long text", "shortest").Fit(4));

    private static string Show(int width, ProgressText text)
    {
        using var console = new TestConsole();
        console.Width(width).Interactive();
        var host = new ToolHost(TextWriter.Null, TextWriter.Null, ShowProgress: true, CancellationToken.None) { ProgressConsole = console };
        return ProgressBar.Run(host, "loading", show =>
        {
            show(0.25, text);
            Thread.Sleep(400); // The bar is drawn ten times a second.
            return console.Output;
        });
    }
}
