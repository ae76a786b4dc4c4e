using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.Patterns;

namespace SparseExpansion.Models.Tokenization;

/// <summary>A "pattern" of tokenizer.json: a literal string or a regular expression.</summary>
internal static class TextPattern
{
    /// <summary>A text may grow by this factor, and by this many characters besides.</summary>
    private const int Growth = 64;
    private const int ExtraCharacters = 1 << 16;

    /// <summary>Reads the pattern of a node.</summary>
    public static TextMatcher Read(ConfigObject node)
    {
        (string text, bool literal) = ReadText(node);
        return Make(literal ? Escape(text) : text, node);
    }

    /// <summary>Compiles an expression.</summary>
    public static TextMatcher Make(string expression, ConfigObject node)
    {
        try
        {
            return new TextMatcher(expression);
        }
        catch (PatternException error)
        {
            throw node.Error("pattern", $"is '{Shorten(expression)}', which {error.Message}");
        }
    }

    /// <summary>The expression that a text alone matches.</summary>
    public static string Escape(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune => rune.Value < 128 && !char.IsAsciiLetterOrDigit((char)rune.Value) ? "\\" + rune : rune.ToString()));

    /// <summary>Reads a node that replaces a pattern by a fixed text.</summary>
    public static Func<string, string> ReadReplacement(ConfigObject node)
    {
        (string pattern, bool literal) = ReadText(node);
        string content = node.RequiredString("content");
        if (literal && pattern.Length > 0)
        {
            return text => text.Replace(pattern, content, StringComparison.Ordinal);
        }

        TextMatcher matcher = Make(pattern, node);
        return text => matcher.Replace(text, content);
    }

    /// <summary>
    /// One step after the other. Replacements that each make a text somewhat longer must not fill the memory together.
    /// </summary>
    public static Func<string, string> Chain(Func<string, string>[] steps) =>
        text => steps.Aggregate(text, (value, step) =>
    {
        string result = step(value);
        RequireModestGrowth(text.Length, result.Length);
        return result;
    });

    /// <param name="before">Characters of the text that came.</param>
    /// <param name="after">Characters of what became of it.</param>
    /// <exception cref="CheckpointException">It has become too long.</exception>
    public static void RequireModestGrowth(long before, long after)
    {
        if (after > (Growth * before) + ExtraCharacters)
        {
            throw new CheckpointException(
                $"The tokenizer's replacements make {after} characters of a text of {before}; its tokenizer.json is damaged or was made to harm.");
        }
    }

    private static (string Text, bool Literal) ReadText(ConfigObject node)
    {
        ConfigObject pattern = node.Object("pattern") ?? throw node.Error("pattern", "is missing");
        string? literal = pattern.OptionalString("String");
        string? expression = pattern.OptionalString("Regex");
        pattern.RequireAllUsed(TokenizerJsonReader.NoKeys);
        return literal is not null
            ? (literal, true)
            : (expression ?? throw node.Error("pattern", "needs 'String' or 'Regex'"), false);
    }

    private static string Shorten(string expression) => expression.Length <= 200 ? expression : expression[..200] + "…";
}
