namespace SparseExpansion.Cli;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>Bad input, or a failure; the reason is on stderr.</summary>
    public const int Failure = 1;

    /// <summary>Stopped by Ctrl-C or a request to terminate: 128 + SIGINT, as shells count.</summary>
    public const int Interrupted = 130;
}
