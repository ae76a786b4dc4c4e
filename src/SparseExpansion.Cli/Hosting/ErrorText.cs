using System.Runtime.InteropServices;

namespace SparseExpansion.Cli;

/// <summary>What the user is told about an exception.</summary>
internal static class ErrorText
{
    /// <summary>One line for what has to do with input or machine; everything there is for an error of the program itself.</summary>
    public static string Of(Exception error) => error switch
    {
        UsageException or SparseExpansionException or ArgumentException => OneLine(error.Message),
        IOException or UnauthorizedAccessException => OneLine(error.Message),
        OutOfMemoryException => "out of memory.",
        // Errors of libtorch carry a native stack trace behind their first line.
        ExternalException => error.Message.Split('\n', 2)[0].TrimEnd(),
        _ => $"unexpected error: {error}",
    };

    /// <summary>A message as the rest of a line: behind a colon it begins with a small letter.</summary>
    public static string Continued(string message) => message.StartsWith("The ", StringComparison.Ordinal) ? $"t{message[1..]}" : message;

    private static string OneLine(string message) =>
        string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
