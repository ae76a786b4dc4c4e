using System.Text.Json;

namespace SparseExpansion.Cli;

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
}
