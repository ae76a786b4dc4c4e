using System.Text.RegularExpressions;
using SparseExpansion.Internal;

namespace SparseExpansion.Transformers;

/// <summary>A "pattern" of tokenizer.json: a literal string or a regular expression.</summary>
internal static class TextPattern
{
    /// <summary>Bounds what a hostile pattern can cost.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>A text may grow by this factor, and by this many characters besides.</summary>
    private const int Growth = 64;
    private const int ExtraCharacters = 1 << 16;

    /// <summary>Reads the pattern of a node.</summary>
    public static Regex Read(ConfigObject node)
    {
        ConfigObject pattern = node.Object("pattern") ?? throw node.Error("pattern", "is missing");
        string? literal = pattern.OptionalString("String");
        string? expression = pattern.OptionalString("Regex");
        pattern.RequireAllUsed(TokenizerJsonReader.NoKeys);
        string text = literal is not null ? Regex.Escape(literal) : expression ?? throw node.Error("pattern", "needs 'String' or 'Regex'");
        return Make(text, node);
    }

    /// <summary>Compiles an expression.</summary>
    public static Regex Make(string expression, ConfigObject node)
    {
        try
        {
            return new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled, Timeout);
        }
        catch (ArgumentException error)
        {
            throw node.Error("pattern", $"is an expression that .NET does not accept ({PlainMessage.Of(error)})");
        }
    }

    /// <summary>Reads a node that replaces a pattern by a fixed text.</summary>
    public static Func<string, string> ReadReplacement(ConfigObject node)
    {
        Regex pattern = Read(node);
        string content = node.RequiredString("content");
        return text => pattern.Replace(text, _ => content);
    }

    /// <summary>One step after the other. Replacements that each make a text somewhat longer must not fill the memory together.</summary>
    public static Func<string, string> Chain(Func<string, string>[] steps) => text => steps.Aggregate(text, (value, step) =>
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

    /// <summary>Names the tokenizer where one of its patterns takes too long.</summary>
    public static void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new CheckpointException(
                $"The tokenizer's pattern '{error.Pattern}' takes longer than {error.MatchTimeout.TotalSeconds} s on this text; mend it in tokenizer.json.", error);
        }
    }
}
