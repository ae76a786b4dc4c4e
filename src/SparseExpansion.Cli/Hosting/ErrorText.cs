using System.Runtime.InteropServices;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Errors;

namespace SparseExpansion.Cli;

/// <summary>What the user is told about an exception.</summary>
internal static class ErrorText
{
    /// <summary>One line for what has to do with input or machine; everything there is for an error of the program itself.</summary>
    public static string Of(Exception error) => error switch
    {
        UsageException or SparseExpansionException => OneLine(error.Message),
        ArgumentException => PlainMessage.Of(error),
        IOException or UnauthorizedAccessException => OneLine(error.Message),
        OutOfMemoryException => "out of memory.",
        // Errors of libtorch carry a native stack trace behind their first line.
        ExternalException => PlainMessage.Of(error),
        _ => $"unexpected error: {error}",
    };

    private static string OneLine(string message) =>
        string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
