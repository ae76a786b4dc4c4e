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
            ? $"{parameter}: {plain}"
            : plain;
    }

    /// <summary>As the platform writes it, in whatever language.</summary>
    private static string ParameterSuffix(string parameter)
    {
        const string message = "x";
        return new ArgumentException(message, parameter).Message[message.Length..];
    }
}
