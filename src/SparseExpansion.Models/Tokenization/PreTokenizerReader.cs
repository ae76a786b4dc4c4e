using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.Patterns;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Reads the "pre_tokenizer" of tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    /// <summary>
    /// GPT-2's pattern: contractions, words, numbers, punctuation, each with a blank before it, and white space.
    /// </summary>
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Words as Rust's \w knows them, and what is neither word nor blank.</summary>
    private const string WordsAndSymbols = @"[[:word:]\u200C\u200D]+|[^[:word:]\u200C\u200D\s]+";
    private const string AsciiPunctuation = @"!-/:-@\[-`{-~";

    public static PreTokenizer Read(ConfigObject? node)
    {
        if (node is null)
        {
            return (text, _) => [text];
        }

        string type = node.RequiredString("type");
        PreTokenizer result = type switch
        {
            "Sequence" => Chain([.. node.Objects("pretokenizers").Select(Read)]),
            "ByteLevel" => ReadByteLevel(node),
            "Split" => ReadSplit(node),
            "Digits" => ReadDigits(node),
            "Punctuation" => CutAt(
                $@"[{AsciiPunctuation}\p{{P}}]", ReadBehavior(node, PieceBehavior.Isolated), false, node),
            "Whitespace" => CutAt(WordsAndSymbols, PieceBehavior.Removed, true, node),
            "WhitespaceSplit" => CutAt(@"\s", PieceBehavior.Removed, false, node),
            "CharDelimiterSplit" => CutAt(
                TextPattern.Escape(node.RequiredString("delimiter")), PieceBehavior.Removed, false, node),
            "Metaspace" => MetaspaceReader.Read(node),
            _ => throw node.Error(
                "type",
                $"is '{type}'; supported are Sequence, ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, CharDelimiterSplit and Metaspace"),
        };
        node.RequireAllUsed(TokenizerJsonReader.NoKeys);
        return result;
    }

    private static PreTokenizer Chain(PreTokenizer[] steps) => (text, first) =>
    {
        List<string> pieces = [text];
        foreach (PreTokenizer step in steps)
        {
            pieces = [.. pieces.SelectMany((piece, index) => step(piece, first && index == 0))];
            TextPattern.RequireModestGrowth(text.Length, pieces.Sum(piece => (long)piece.Length));
        }

        return pieces;
    };

    private static PreTokenizer ReadByteLevel(ConfigObject node)
    {
        node.Skip("trim_offsets");
        bool prefix = node.Bool("add_prefix_space", true);
        TextMatcher? pattern = node.Bool("use_regex", true) ? TextPattern.Make(Gpt2, node) : null;
        return (text, _) =>
        {
            string full = prefix && text.Length > 0 && text[0] != ' ' ? " " + text : text;
            IEnumerable<string> pieces = pattern is null
                ? [full]
                : PieceCutter.Cut(full, pattern, PieceBehavior.Isolated, invert: false);
            return pieces.Select(ByteTokens.ToCharacters);
        };
    }

    private static PreTokenizer ReadSplit(ConfigObject node)
    {
        TextMatcher pattern = TextPattern.Read(node);
        bool invert = node.Bool("invert", false);
        PieceBehavior behavior = ReadBehavior(node, null);
        return (text, _) => PieceCutter.Cut(text, pattern, behavior, invert);
    }

    private static PieceBehavior ReadBehavior(ConfigObject node, PieceBehavior? missing)
    {
        string name = missing is { } behavior
            ? node.OptionalString("behavior") ?? behavior.ToString()
            : node.RequiredString("behavior");
        return Enum.GetNames<PieceBehavior>().Contains(name, StringComparer.Ordinal)
            ? Enum.Parse<PieceBehavior>(name)
            : throw node.Error(
                "behavior", $"is '{name}'; supported are {string.Join(", ", Enum.GetNames<PieceBehavior>())}");
    }

    private static PreTokenizer ReadDigits(ConfigObject node) =>
        CutAt(node.Bool("individual_digits", false) ? @"\p{N}" : @"\p{N}+", PieceBehavior.Isolated, false, node);

    private static PreTokenizer CutAt(string expression, PieceBehavior behavior, bool invert, ConfigObject node)
    {
        TextMatcher pattern = TextPattern.Make(expression, node);
        return (text, _) => PieceCutter.Cut(text, pattern, behavior, invert);
    }
}
