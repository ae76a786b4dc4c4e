using System.Text.Json;
using SparseExpansion.Cli.Hosting;

namespace SparseExpansion.Cli;

/// <summary>A run of the tool in this process.</summary>
/// <param name="ExitCode">What the process would end with.</param>
/// <param name="Output">All of stdout.</param>
/// <param name="Error">All of stderr.</param>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs the tool with redirected writers.</summary>
    public static ToolRun Of(params IReadOnlyList<string> arguments) => Of(arguments, CancellationToken.None);

    public static ToolRun Of(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => Of(arguments, host => host with { CancellationToken = cancellationToken });

    /// <summary>Runs the tool in another world.</summary>
    public static ToolRun Of(IReadOnlyList<string> arguments, Func<ToolHost, ToolHost> change)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Tool.Run(arguments, change(new ToolHost(output, error, ShowProgress: false, CancellationToken.None)));
        return new ToolRun(code, output.ToString(), error.ToString());
    }

    /// <summary>The one JSON object on stdout; stderr must be silent.</summary>
    public JsonElement Json()
    {
        Assert.Equal((0, ""), (ExitCode, Error));
        using JsonDocument document = JsonDocument.Parse(Output);
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        return document.RootElement.Clone();
    }

    /// <summary>Exit code 1, silence on stdout and one line on stderr that holds all of the parts.</summary>
    public void AssertRefused(params string[] parts)
    {
        Assert.Equal((1, ""), (ExitCode, Output));
        Assert.StartsWith("sparse-expand: ", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd().Split('\n'));
        Assert.All(parts, part => Assert.Contains(part, Error, StringComparison.Ordinal));
    }
}
