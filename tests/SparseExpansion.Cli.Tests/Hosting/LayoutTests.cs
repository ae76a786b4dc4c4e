using System.Text.RegularExpressions;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Results on terminals of several widths: no line is wider, and no number is broken or changed.</summary>
public sealed partial class LayoutTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public LayoutTests() => Assert.Equal(0, _tiny.Command("expand").Run().ExitCode);

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("inspect", 50)]
    [InlineData("inspect", 80)]
    [InlineData("inspect", 120)]
    [InlineData("inspect dense", 50)]
    [InlineData("inspect dense", 80)]
    [InlineData("expand", 50)]
    [InlineData("expand", 80)]
    [InlineData("expand", 120)]
    [InlineData("evaluate", 50)]
    [InlineData("evaluate", 120)]
    [InlineData("analyze", 50)]
    [InlineData("analyze", 80)]
    public void Output_OnATerminal_FitsAndBreaksNoNumber(string command, int width)
    {
        string narrow = Run(command, width), wide = Run(command, null);

        Assert.All(narrow.Split('\n').Where(line => !Path().IsMatch(line)), line => Assert.True(line.Length <= width, line));
        // Whatever is left out, what is there is what a file gets; times differ from run to run.
        HashSet<string> numbers = [.. Number().Matches(wide).Select(match => match.Value)];
        Assert.All(Number().Matches(narrow).Select(match => match.Value), number => Assert.Contains(number, numbers));
        Assert.DoesNotMatch(@"\d\n\s*([KMGT]i)?B\b", narrow);
    }

    [Fact]
    public void Inspect_Narrow_AbbreviatesPathsThenLeavesColumnsOutAndSaysWhich()
    {
        string at120 = Run("inspect", 120), at80 = Run("inspect", 80), at50 = Run("inspect", 50);
        Assert.Contains("\nmodel.layers.0.mlp.gate_proj ", at120, StringComparison.Ordinal);
        Assert.DoesNotContain("omitted for lack of space", at120, StringComparison.Ordinal);
        Assert.Contains("\n…0.mlp.gate_proj ", at80, StringComparison.Ordinal);
        Assert.Contains("(omitted for lack of space: shape, bits, router, group; use a wider terminal", at80, StringComparison.Ordinal);
        Assert.Contains("in memory", at50, StringComparison.Ordinal);
        Assert.Contains("per token", at50, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(80)]
    public void Plan_OnATerminal_FitsAndTellsEveryStage(int width)
    {
        string plan = Run("expand --dry-run", width);
        Assert.All(plan.Split('\n'), line => Assert.True(line.Length <= width, line));
        Assert.All(["resident", "calibration", "routing", "pruning", "propagation", "packing", "peak", "budget 8 GiB: fits"], part => Assert.Contains(part, plan, StringComparison.Ordinal));
    }

    [Fact]
    public void Output_ToAFile_HasEveryColumn()
    {
        string[] lines = Run("inspect", null).Split('\n');
        string heading = Assert.Single(lines, line => line.StartsWith("expanded layer", StringComparison.Ordinal));
        Assert.Equal(
            ["expanded layer", "shape", "experts", "sparsity", "bits", "on disk", "in memory", "per token", "dense", "router", "group"],
            Columns().Split(heading.Trim()));
        Assert.Contains(lines, line => line.StartsWith("model.layers.0.mlp.gate_proj  ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("model.layers.0.mlp.up_proj", "…0.mlp.up_proj")]
    [InlineData("lm_head", "lm_head")]
    [InlineData("0.up", "0.up")]
    public void FromBlock_Path_BeginsAtTheNumber(string path, string expected) => Assert.Equal(expected, ModulePath.FromBlock(path));

    [Fact]
    public void WriteLine_Narrow_BreaksBetweenWordsOnly()
    {
        using var writer = new StringWriter();
        new TextLayout(writer, 12).WriteLine("one 12.5 MiB and averyveryverylongword 3 s");
        Assert.Equal("one 12.5 MiB|  and|  averyveryverylongword|  3 s|", writer.ToString().ReplaceLineEndings("|"));
    }

    [Fact]
    public void Error_OnATerminal_BreaksBetweenWords()
    {
        ToolRun run = ToolRun.Of(["evaluate", "--modell", "x"], host => host with { ErrorWidth = 50 });
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.True(lines.Length > 1);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 50));
    }

    private string Run(string command, int? width)
    {
        CommandLine line = command switch
        {
            "inspect" => _tiny.Command("inspect").With("--model", _tiny.Output),
            "inspect dense" => _tiny.Command("inspect"),
            "expand" => _tiny.Command("expand").With("--overwrite"),
            "expand --dry-run" => _tiny.Command("expand").With("--output", _tiny.Path("other")).With("--dry-run").With("--memory-budget", "8GiB"),
            "analyze" => _tiny.Command("analyze").With("--tokens", _tiny.Tokens).With("--output", _tiny.Path("report")).With("--overwrite")
                .With("--experts", "2").With("--targets", "*.0.mlp.up_proj"),
            _ => _tiny.Command(command),
        };
        ToolRun run = ToolRun.Of(line.Arguments(), host => host with { Width = width });
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return Times().Replace(run.Output, "");
    }

    /// <summary>Numbers that stand alone; those of times, of the process's memory and of what is measured are taken out
    /// before.</summary>
    [GeneratedRegex(@"(?<![\w.])\d+(\.\d+)?(?![\w.])")]
    private static partial Regex Number();

    [GeneratedRegex(@"\d+\.\d s\b|peak memory\s+[\d.]+ \w+|reads\s+[\d.]+\s+\w+\s+per\s+second|at\s+most\s+\d+\s+tokens")]
    private static partial Regex Times();

    [GeneratedRegex("  +")]
    private static partial Regex Columns();

    [GeneratedRegex("/")]
    private static partial Regex Path();
}
