using System.CommandLine;
using System.CommandLine.Parsing;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Messages for values that belong to no option.</summary>
internal static class StrayValueText
{
    /// <summary>
    /// Message for the first such value, with the likely intention as far as the preceding option shows it; null if
    /// there is none.
    /// </summary>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [string stray, ..])
        {
            return null;
        }

        Token[] before = [.. parsed.Tokens.TakeWhile(token => token.Value != stray || token.Type == TokenType.Option)];
        return before.LastOrDefault(token => token.Type == TokenType.Option) is not { } name
            ? $"'{stray}': does not belong to an option; write values after their option, as in --model DIR."
            : OptionNamed(parsed, name.Value) is { Arity.MaximumNumberOfValues: > 1 }
                ? $"'{stray}': {name.Value} takes one value at a time; repeat it: {Repeated(name.Value, Values(before).Append(stray))}."
                : $"'{stray}': does not belong to an option, because {name.Value} already has a value; quote values with spaces.";
    }

    private static Option? OptionNamed(ParseResult parsed, string name) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(
            option => option.Name == name || option.Aliases.Contains(name));

    private static string Repeated(string name, IEnumerable<string> values) =>
        string.Join(' ', values.Select(value => $"{name} {Quoted(value)}"));

    /// <summary>A value as it is typed: a shell would expand a pattern without quotes into names of files.</summary>
    private static string Quoted(string value) =>
        value.All(c => char.IsLetterOrDigit(c) || "_-./\\:,=".Contains(c)) ? value : $"'{value}'";

    /// <summary>The values after the last option.</summary>
    private static IEnumerable<string> Values(Token[] tokens) =>
        tokens.Reverse().TakeWhile(token => token.Type != TokenType.Option).Select(token => token.Value).Reverse();
}
