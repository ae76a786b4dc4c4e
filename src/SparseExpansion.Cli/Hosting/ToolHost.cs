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

    /// <summary>The process's own console.</summary>
    public static ToolHost ForConsole(CancellationToken cancellationToken) =>
        new(Console.Out, Console.Error, !Console.IsErrorRedirected, cancellationToken) { LineClock = TimeProvider.System };
}
