using System.CommandLine;
using System.CommandLine.Parsing;

namespace SparseExpansion.Cli.Options;

/// <summary>Options that take one of a few names.</summary>
internal static class Choice
{
    /// <summary>Restricts the option to these names, lists them in its help and completes them in shells.</summary>
    public static void AcceptOnly(Option<string?> option, params IReadOnlyCollection<string> names) =>
        Restrict(option, names, text => text);

    /// <inheritdoc cref="AcceptOnly(Option{string?}, IReadOnlyCollection{string})"/>
    public static void AcceptOnly(Option<int?> option, params IReadOnlyCollection<int> numbers) =>
        Restrict(
            option, [.. numbers.Select(ValueParsers.Text)],
            text => numbers.Single(number => ValueParsers.Text(number) == text));

    private static void Restrict<T>(Option<T?> option, IReadOnlyCollection<string> names, Func<string, T?> convert)
    {
        option.HelpName = string.Join('|', names);
        option.CompletionSources.Clear();
        option.CompletionSources.Add([.. names]);
        option.CustomParser = result =>
        {
            if (result.Tokens is not [Token { Value: string text }, ..])
            {
                return default;
            }

            if (names.Contains(text))
            {
                return convert(text);
            }

            result.AddError(
                $"{option.Name} '{text}': must be {string.Join(", ", names.SkipLast(1))} or {names.Last()}.");
            return default;
        };
    }
}
