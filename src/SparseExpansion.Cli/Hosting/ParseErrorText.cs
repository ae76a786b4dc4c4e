using System.CommandLine;
using System.CommandLine.Parsing;

namespace SparseExpansion.Cli;

/// <summary>What the user is told about a command line that cannot be read.</summary>
internal static class ParseErrorText
{
    /// <summary>All errors, those of single options first, and where to find help.</summary>
    public static string Of(ParseResult parsed)
    {
        IEnumerable<string> messages = parsed.Errors.OrderBy(error => OptionOf(error) is null).Select(Describe).Distinct();
        string command = parsed.CommandResult.Command is RootCommand ? Tool.Name : $"{Tool.Name} {parsed.CommandResult.Command.Name}";
        return $"{string.Join(' ', messages)} See '{command} --help'.";
    }

    /// <summary>Some messages of the parser do not say which option they are about.</summary>
    private static string Describe(ParseError error)
    {
        string message = $"{error.Message.TrimEnd().TrimEnd('.')}.";
        return OptionOf(error) is { } option && !message.Contains(option.Name, StringComparison.Ordinal) ? $"{option.Name}: {message}" : message;
    }

    private static Option? OptionOf(ParseError error) => (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult)?.Option;
}
