using System.CommandLine;
using System.CommandLine.Parsing;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Messages for command lines that cannot be parsed.</summary>
internal static class ParseErrorText
{
    /// <summary>
    /// Message with the first unknown name, or else all errors, those of single options first, and a hint to the help.
    /// </summary>
    public static string Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = $"See '{(command is RootCommand ? ToolHost.ToolName : $"{ToolHost.ToolName} {command.Name}")} --help'.";
        return $"{Unknown(parsed, command) ?? StrayValueText.Of(parsed) ?? string.Join(' ', Errors(parsed))} {help}";
    }

    private static IEnumerable<string> Errors(ParseResult parsed) =>
        parsed.Errors.OrderBy(error => OptionOf(error) is null).Select(Describe).Distinct();

    /// <summary>
    /// A mistyped name causes other errors: its value is unknown too, and the intended option is missing.
    /// </summary>
    private static string? Unknown(ParseResult parsed, Command command)
    {
        if (command is RootCommand && parsed.UnmatchedTokens is [string first, ..] && !LooksLikeOption(first))
        {
            return Describe(first, "command", command.Subcommands.Select(known => known.Name));
        }

        IEnumerable<Option> options = command.Options.Union(
            parsed.RootCommandResult.Command.Options.Where(option => option.Recursive));
        return parsed.UnmatchedTokens.FirstOrDefault(LooksLikeOption) is { } unknown
            ? Describe(
                unknown.Split('=')[0], "option", options.Where(option => !option.Hidden).Select(option => option.Name))
            : null;
    }

    private static bool LooksLikeOption(string token) => token.Length > 1 && token[0] == '-';

    private static string Describe(string name, string kind, IEnumerable<string> names) =>
        $"{name}: there is no such {kind}{(NearestName.Of(name, names) is { } near ? $"; did you mean {near}?" : ".")}";

    private static string Describe(ParseError error) => $"{error.Message.TrimEnd().TrimEnd('.')}.";

    private static Option? OptionOf(ParseError error) =>
        (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult)?.Option;
}
