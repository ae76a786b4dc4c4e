using Spectre.Console;

namespace SparseExpansion.Cli;

/// <summary>The world around a command.</summary>
/// <param name="Output">Results.</param>
/// <param name="Error">Reasons of failure, and progress.</param>
/// <param name="ShowProgress">True where a person watches <paramref name="Error"/>.</param>
/// <param name="CancellationToken">Asks for an early end.</param>
internal sealed record ToolHost(TextWriter Output, TextWriter Error, bool ShowProgress, CancellationToken CancellationToken)
{
    /// <summary>Tells when a line of progress is due where no person watches <see cref="Error"/>; null: there is none.</summary>
    public TimeProvider? LineClock { get; init; }

    /// <summary>Columns of the terminal that shows <see cref="Output"/>; null where it goes to a file or a pipe, which get the same text everywhere.</summary>
    public int? Width { get; init; }

    /// <summary>Columns of the terminal that shows <see cref="Error"/>; null where it goes elsewhere.</summary>
    public int? ErrorWidth { get; init; }

    /// <summary>Where the bar is drawn; null: on <see cref="Error"/>.</summary>
    public IAnsiConsole? ProgressConsole { get; init; }

    /// <summary>Opens what <c>--text -</c> reads.</summary>
    public Func<Stream> Input { get; init; } = () => Stream.Null;

    /// <summary>Results as text for people.</summary>
    public TextLayout Text => new(Output, Width);

    /// <summary>The process's own console.</summary>
    public static ToolHost ForConsole(CancellationToken cancellationToken) => new(Console.Out, Console.Error, !Console.IsErrorRedirected, cancellationToken)
    {
        LineClock = TimeProvider.System,
        Width = Console.IsOutputRedirected ? null : WindowWidth(),
        ErrorWidth = Console.IsErrorRedirected ? null : WindowWidth(),
        Input = Console.OpenStandardInput,
    };

    /// <summary>Null where the terminal does not know it.</summary>
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
