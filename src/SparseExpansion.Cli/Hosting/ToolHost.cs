using Spectre.Console;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Environment of a command: console, cancellation, clock.</summary>
/// <param name="Output">Receives results.</param>
/// <param name="Error">Receives errors and progress.</param>
/// <param name="ShowProgress">True if <paramref name="Error"/> is a terminal.</param>
/// <param name="CancellationToken">Cancels the command.</param>
internal sealed record ToolHost(
    TextWriter Output, TextWriter Error, bool ShowProgress, CancellationToken CancellationToken)
{
    /// <summary>Name of the tool on the command line.</summary>
    public const string ToolName = "sparse-expand";

    /// <summary>Clock for lines of progress if <see cref="Error"/> is not a terminal; null: no such lines.</summary>
    public TimeProvider? LineClock { get; init; }

    /// <summary>
    /// Columns of the terminal that shows <see cref="Output"/>; null for a file or a pipe, which always get the same
    /// text.
    /// </summary>
    public int? Width { get; init; }

    /// <summary>Columns of the terminal that shows <see cref="Error"/>; null for anything else.</summary>
    public int? ErrorWidth { get; init; }

    /// <summary>Console that the bar is drawn on; null: <see cref="Error"/>.</summary>
    public IAnsiConsole? ProgressConsole { get; init; }

    /// <summary>Opens standard input for <c>--text -</c>.</summary>
    public Func<Stream> Input { get; init; } = () => Stream.Null;

    /// <summary>Results as text, fitted to the terminal.</summary>
    public TextLayout Text => new(Output, Width);

    /// <summary>The process's own console.</summary>
    public static ToolHost ForConsole(CancellationToken cancellationToken) => new(
        Console.Out, Console.Error, !Console.IsErrorRedirected, cancellationToken)
    {
        LineClock = TimeProvider.System,
        Width = Console.IsOutputRedirected ? null : WindowWidth(),
        ErrorWidth = Console.IsErrorRedirected ? null : WindowWidth(),
        Input = Console.OpenStandardInput,
    };

    /// <summary>Null if the terminal does not know it.</summary>
    private static int? WindowWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and int width ? width : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
