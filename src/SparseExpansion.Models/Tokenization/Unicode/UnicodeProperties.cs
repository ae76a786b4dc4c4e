namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>
/// The sets of characters that patterns call by name: categories, scripts, properties and POSIX classes.
/// </summary>
internal static class UnicodeProperties
{
    /// <summary>White_Space.</summary>
    public static CodePointSet Space { get; } =
        CodePointSet.FromRanges([(9, 13), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]);

    public static CodePointSet HexDigits { get; } = CodePointSet.FromRanges([('0', '9'), ('A', 'F'), ('a', 'f')]);

    /// <summary>Letters, marks, digits and connectors: what UTS #18 calls a word character, less the joiners.</summary>
    public static CodePointSet Word { get; } =
        CodePointSet.Union(Table("alphabetic"), OfNames("m", "nd", "pc", "l", "nl"));

    /// <summary>Word characters of Rust's regular expressions.</summary>
    public static CodePointSet WordWithJoiners { get; } = CodePointSet.Union(Word, CodePointSet.Of(0x200C, 0x200D));

    /// <summary>A name without what does not count in it: case, blanks, underscores and hyphens.</summary>
    public static string Normalize(string name) =>
        string.Concat(name.Where(c => c is not (' ' or '_' or '-')).Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c));

    /// <summary>The set of a name as in \p{…}; null where there is none.</summary>
    public static CodePointSet? Find(string name)
    {
        string key = Normalize(name);
        return UnicodeCategories.Find(key) ?? key switch
        {
            "any" => CodePointSet.All,
            "assigned" => OfNames("cn").Complement(),
            "alnum" => CodePointSet.Union(Table("alphabetic"), OfNames("nd")),
            "ascii" => CodePointSet.Of(0, 0x7F),
            "blank" => CodePointSet.Union(OfNames("zs"), CodePointSet.Of('\t')),
            "cntrl" => OfNames("cc"),
            "digit" => OfNames("nd"),
            "graph" => Graph(),
            "print" => CodePointSet.Union(Graph(), OfNames("zs")),
            "punct" => OfNames("p"),
            "space" or "whitespace" or "wspace" => Space,
            "word" => Word,
            "xdigit" => HexDigits,
            _ => UnicodeTables.FindSet(key),
        };
    }

    /// <summary>The set of a name as in [[:…:]]; null where there is none.</summary>
    public static CodePointSet? FindPosix(string name) => name switch
    {
        "punct" => OfNames("p", "s"),
        "alnum" or "alpha" or "ascii" or "blank" or "cntrl" or "digit" or "graph" or "lower" or "print" or "space" or "upper" or "word" or "xdigit" => Find(name),
        _ => null,
    };

    private static CodePointSet Graph() => CodePointSet.Union(OfNames("cn", "cs", "cc"), Space).Complement();

    private static CodePointSet Table(string name) => UnicodeTables.FindSet(name)!;

    private static CodePointSet OfNames(params IEnumerable<string> names) =>
        CodePointSet.Union(names.Select(name => UnicodeCategories.Find(name)!));
}
