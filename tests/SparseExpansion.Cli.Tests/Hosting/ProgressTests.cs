using System.Text.Json;

namespace SparseExpansion.Cli.Hosting;

public sealed class ProgressTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("evaluate")]
    [InlineData("expand")]
    public void Progress_IsWatched_LeavesStdoutToTheResult(string command)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Tool.Run(_tiny.Command(command).With("--json").Arguments(), new ToolHost(output, error, ShowProgress: true, CancellationToken.None));
        Assert.Equal(0, code);
        using JsonDocument document = JsonDocument.Parse(output.ToString());
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
    }

    [Fact]
    public void Progress_GoesToAFile_IsALineForEachBlock()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new ToolHost(output, error, ShowProgress: false, CancellationToken.None) { LineClock = new ManualTimer() };

        Assert.Equal(0, Tool.Run(_tiny.Command("expand").With("--json").Arguments(), host));

        using JsonDocument document = JsonDocument.Parse(output.ToString());
        string[] lines = error.ToString().Split(Environment.NewLine);
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"\A50 %: block 1/2 finished, \d+:\d\d left\z", lines[0]);
        Assert.Equal(("100 %: block 2/2 finished", ""), (lines[1], lines[2]));
    }
}
