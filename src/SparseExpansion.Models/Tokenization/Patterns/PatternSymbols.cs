using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>The parts that symbols of a pattern become.</summary>
internal static class PatternSymbols
{
    /// <summary>Start of a line: after a newline, but not at the end of the text.</summary>
    public const string LineStart = @"(?:\A|(?<=\n)(?!\z))";
    public const string LineEnd = @"(?=\n|\z)";

    /// <summary>Group openings that both dialects write alike, without their parenthesis.</summary>
    public static readonly string[] GroupOpenings = ["?:", "?=", "?!", "?<=", "?<!", "?>"];

    public static readonly CharacterClass Anything = new(CodePointSet.Empty, negated: true);
    public static readonly CharacterClass AnyButNewline = new(CodePointSet.Of('\n'), negated: true);

    /// <summary>²³¹¼½¾ are word characters outside of brackets, though they are none inside.</summary>
    private static readonly CodePointSet Superscripts = CodePointSet.Of(0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE);

    private static readonly string[] Unsupported = ["X", "y", "Y", "K", "G", "k", "g"];

    public static CharacterClass WithSuperscripts(CharacterClass characters) =>
        ReferenceEquals(characters.Named, UnicodeProperties.Word)
        ? new CharacterClass(
            CodePointSet.Union(characters.Named, Superscripts), characters.Negated,
            characters.Native + CharacterClass.Spell(Superscripts))
        : characters;

    /// <summary>
    /// A symbol after a backslash that is no character and no class; null where there is none, and nothing is read.
    /// </summary>
    public static (PatternPart[] Parts, bool Repeats)? TryRead(PatternReader reader)
    {
        if (Array.Find(Unsupported, reader.Take) is { } name)
        {
            throw new PatternException($@"uses \{name}, which is not supported");
        }

        return reader.Take("A") ? ([@"\A"], false)
            : reader.Take("z") ? ([@"\z"], false)
            : reader.Take("Z") ? ([@"\Z"], false)
            : reader.Take("b") ? (WordBoundary("(?=", "(?!"), false)
            : reader.Take("B") ? (WordBoundary("(?!", "(?="), false)
            : reader.Take("R") ? ([@"(?>\r\n|[\n-\r\u0085\u2028\u2029])"], true)
            : reader.Take("N") ? ([AnyButNewline], true)
            : reader.Take("O") ? ([Anything], true)
            : null;
    }

    private static PatternPart[] WordBoundary(string afterWord, string otherwise)
    {
        CharacterClass word = WithSuperscripts(new CharacterClass(UnicodeProperties.Word));
        PatternPart[] inside = [.. PatternPart.Group("(?<=", word), .. PatternPart.Group(otherwise, word)];
        PatternPart[] outside = [.. PatternPart.Group("(?<!", word), .. PatternPart.Group(afterWord, word)];
        return PatternPart.Group("(?:", PatternPart.Join([inside, outside]));
    }
}
