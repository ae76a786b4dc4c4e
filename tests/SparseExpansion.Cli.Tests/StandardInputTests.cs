using System.Text;

namespace SparseExpansion.Cli;

/// <summary><c>--text -</c>.</summary>
public sealed class StandardInputTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("evaluate")]
    [InlineData("expand")]
    [InlineData("analyze")]
    public void Text_Dash_IsWhatTheFileGives(string command)
    {
        ToolRun fromFile = Run(command, _tiny.Text, "first", []);
        ToolRun fromInput = Run(command, "-", "second", File.ReadAllBytes(_tiny.Text));
        Assert.Equal((0, ""), (fromInput.ExitCode, fromInput.Error));
        Assert.Equal(Lasting(fromFile), Lasting(fromInput));
    }

    [Fact]
    public void Text_DashOfBadInput_SaysSo()
    {
        Run("evaluate", "-", "x", []).AssertRefused("--text -: ", "no document");
        Run("evaluate", "-", "x", [0x41, 0xFF]).AssertRefused("--text -: is not UTF-8.");
    }

    private ToolRun Run(string command, string text, string output, byte[] input)
    {
        CommandLine line = _tiny.Command(command).Without("--tokens").With("--text", text).With("--context", "16");
        line = command switch
        {
            "evaluate" => line,
            "expand" => line.With("--output", _tiny.Path(output)),
            _ => line.With("--output", _tiny.Path(output)).With("--experts", "2").With("--targets", "*.0.mlp.up_proj"),
        };
        return ToolRun.Of(line.Arguments(), host => host with { Input = () => new MemoryStream(input) });
    }

    /// <summary>The part of the output that depends neither on time nor on the folder's name.</summary>
    private static string Lasting(ToolRun run) => new StringBuilder().AppendJoin('\n', run.Output.Split('\n').Where(line => !line.Contains(" s", StringComparison.Ordinal) && !line.StartsWith("saved", StringComparison.Ordinal))).ToString();
}
