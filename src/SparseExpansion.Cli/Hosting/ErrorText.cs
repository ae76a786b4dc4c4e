using System.Runtime.InteropServices;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Errors;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Messages for exceptions.</summary>
internal static class ErrorText
{
    /// <summary>
    /// One line for errors of the input or the machine; the whole exception for errors of the program itself.
    /// </summary>
    public static string Of(Exception error) => error switch
    {
        UsageException or SparseExpansionException => OneLine(error.Message),
        ArgumentException => PlainMessage.Of(error),
        IOException or UnauthorizedAccessException => OneLine(error.Message),
        OutOfMemoryException => "out of memory.",
        // Errors of libtorch carry a native stack trace after their first line.
        ExternalException => PlainMessage.Of(error),
        _ => $"unexpected error: {error}",
    };

    private static string OneLine(string message) =>
        string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
