namespace SparseExpansion.Cli.Hosting;

/// <summary>Exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>Success.</summary>
    public const int Success = 0;

    /// <summary>Bad input, or a failure; the reason is on stderr.</summary>
    public const int Failure = 1;

    /// <summary>Interrupted by Ctrl-C or a request to terminate: 128 + SIGINT, as in shells.</summary>
    public const int Interrupted = 130;
}
