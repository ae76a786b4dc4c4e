using System.CommandLine;
using System.CommandLine.Parsing;

namespace SparseExpansion.Cli;

/// <summary>What the user is told about a value that belongs to no option.</summary>
internal static class StrayValueText
{
    /// <summary>The first such value, and how it was meant, as far as what stands before it tells; null where there is none.</summary>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [string stray, ..])
        {
            return null;
        }

        Token[] before = [.. parsed.Tokens.TakeWhile(token => token.Value != stray || token.Type == TokenType.Option)];
        return before.LastOrDefault(token => token.Type == TokenType.Option) is not { } name
            ? $"'{stray}': belongs to no option; values follow their option, as in --model DIR."
            : OptionNamed(parsed, name.Value) is { Arity.MaximumNumberOfValues: > 1 }
                ? $"'{stray}': {name.Value} takes one value at a time; repeat it: {string.Join(' ', Values(before).Append(stray).Select(value => $"{name.Value} {value}"))}."
                : $"'{stray}': belongs to no option, for {name.Value} has its value already; put quotes around one with spaces.";
    }

    private static Option? OptionNamed(ParseResult parsed, string name) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    /// <summary>The values behind the last option.</summary>
    private static IEnumerable<string> Values(Token[] tokens) => tokens.Reverse().TakeWhile(token => token.Type != TokenType.Option).Select(token => token.Value).Reverse();
}
