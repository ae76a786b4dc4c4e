using System.Text.RegularExpressions;

namespace SparseExpansion.Transformers;

/// <summary>A "pattern" of tokenizer.json: a literal string or a regular expression.</summary>
internal static class TextPattern
{
    /// <summary>Bounds what a hostile pattern can cost.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);

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
            throw node.Error("pattern", $"is an expression that .NET does not accept ({error.Message})");
        }
    }

    /// <summary>Reads a node that replaces a pattern by a fixed text.</summary>
    public static Func<string, string> ReadReplacement(ConfigObject node)
    {
        Regex pattern = Read(node);
        string content = node.RequiredString("content");
        return text => pattern.Replace(text, _ => content);
    }
}
