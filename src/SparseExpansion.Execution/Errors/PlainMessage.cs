namespace SparseExpansion.Execution.Errors;

/// <summary>The message of an exception, as a part of another message.</summary>
internal static class PlainMessage
{
    /// <summary>
    /// The first line, for native errors carry a stack trace below theirs. Of a wrong argument without the "(Parameter
    /// 'x')" that the platform puts behind, which means nothing to those who did not make the call; the name of an
    /// option that is out of range goes in front instead.
    /// </summary>
    public static string Of(Exception error)
    {
        string message = error.Message.Split('\n', 2)[0].TrimEnd();
        if (error is not ArgumentException { ParamName: { Length: > 0 } parameter })
        {
            return message;
        }

        string suffix = ParameterSuffix(parameter);
        string plain = message.EndsWith(suffix, StringComparison.Ordinal) ? message[..^suffix.Length] : message;
        return error is ArgumentOutOfRangeException && !plain.Contains(parameter, StringComparison.Ordinal)
            ? $"{parameter}: {Continue(plain)}"
            : plain;
    }

    /// <summary>
    /// The same as the rest of a sentence, after a colon: the first word is written small unless it is a name.
    /// </summary>
    public static string Clause(Exception error) => Continue(Of(error));

    /// <summary>Names are known by a capital, digit or sign inside of them, or by the value in brackets.</summary>
    private static string Continue(string message)
    {
        int end = message.IndexOf(' ', StringComparison.Ordinal);
        bool isName = end < 1 || !char.IsAsciiLetterUpper(message[0])
            || message.AsSpan(1, end - 1).ContainsAnyExceptInRange('a', 'z')
            || message.AsSpan(end + 1).StartsWith("(", StringComparison.Ordinal);
        return isName ? message : char.ToLowerInvariant(message[0]) + message[1..];
    }

    /// <summary>As the platform writes it, in whatever language.</summary>
    private static string ParameterSuffix(string parameter)
    {
        const string message = "x";
        return new ArgumentException(message, parameter).Message[message.Length..];
    }
}
