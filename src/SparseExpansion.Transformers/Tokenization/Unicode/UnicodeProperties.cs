using System.Collections.Frozen;
using System.Globalization;

namespace SparseExpansion.Transformers;

/// <summary>The sets of characters that patterns call by name: categories, scripts, properties and POSIX classes.</summary>
internal static class UnicodeProperties
{
    private static readonly FrozenDictionary<string, UnicodeCategory[]> CategoryNames = MakeCategoryNames();
    private static readonly Lazy<CodePointSet[]> CategorySets = new(MakeCategorySets);

    /// <summary>White_Space.</summary>
    public static CodePointSet Space { get; } =
        CodePointSet.FromRanges([(9, 13), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]);

    public static CodePointSet HexDigits { get; } = CodePointSet.FromRanges([('0', '9'), ('A', 'F'), ('a', 'f')]);

    /// <summary>Letters, marks, digits and connectors: what UTS #18 calls a word character, less the joiners.</summary>
    public static CodePointSet Word { get; } = CodePointSet.Union(Table("alphabetic"), OfNames("m", "nd", "pc", "l", "nl"));

    /// <summary>What Rust's regular expressions call a word character.</summary>
    public static CodePointSet WordWithJoiners { get; } = CodePointSet.Union(Word, CodePointSet.Of(0x200C, 0x200D));

    /// <summary>A name without what does not count in it: case, blanks, underscores and hyphens.</summary>
    public static string Normalize(string name) =>
        string.Concat(name.Where(c => c is not (' ' or '_' or '-')).Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c));

    /// <summary>The set of a name as in \p{…}; null where there is none.</summary>
    public static CodePointSet? Find(string name)
    {
        string key = Normalize(name);
        return CategoryNames.TryGetValue(key, out UnicodeCategory[]? categories) ? OfCategories(categories) : key switch
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

    /// <summary>The names of .NET for a category, for example "\p{Lu}\p{Ll}"; null where the name is not of a category or holds surrogates.</summary>
    public static string? Native(string name)
    {
        string key = Normalize(name);
        return key is "c" or "other" or "cs" or "surrogate" || !CategoryNames.TryGetValue(key, out UnicodeCategory[]? categories)
            ? null
            : string.Concat(categories.Select(category => $@"\p{{{ShortName(category)}}}"));
    }

    private static CodePointSet Graph() => CodePointSet.Union(OfNames("cn", "cs", "cc"), Space).Complement();

    private static CodePointSet Table(string name) => UnicodeTables.FindSet(name)!;

    private static CodePointSet OfNames(params IEnumerable<string> names) => CodePointSet.Union(names.Select(name => OfCategories(CategoryNames[name])));

    private static CodePointSet OfCategories(UnicodeCategory[] categories) =>
        CodePointSet.Union(categories.Select(category => CategorySets.Value[(int)category]));

    private static CodePointSet[] MakeCategorySets()
    {
        List<(int, int)>[] ranges = [.. Enum.GetValues<UnicodeCategory>().Select(_ => new List<(int, int)>())];
        int first = 0;
        UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(0);
        for (int code = 1; code <= CodePointSet.Last + 1; code++)
        {
            UnicodeCategory? next = code <= CodePointSet.Last ? CharUnicodeInfo.GetUnicodeCategory(code) : null;
            if (next != category)
            {
                ranges[(int)category].Add((first, code - 1));
                (first, category) = (code, next ?? category);
            }
        }

        return [.. ranges.Select(CodePointSet.FromRanges)];
    }

    private static string ShortName(UnicodeCategory category) => ShortNames[(int)category];

    /// <summary>In the order of <see cref="UnicodeCategory"/>.</summary>
    private static readonly string[] ShortNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
        "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly string[] LongNames =
    [
        "uppercaseletter", "lowercaseletter", "titlecaseletter", "modifierletter", "otherletter", "nonspacingmark", "spacingmark", "enclosingmark",
        "decimalnumber", "letternumber", "othernumber", "spaceseparator", "lineseparator", "paragraphseparator", "control", "format", "surrogate",
        "privateuse", "connectorpunctuation", "dashpunctuation", "openpunctuation", "closepunctuation", "initialpunctuation", "finalpunctuation",
        "otherpunctuation", "mathsymbol", "currencysymbol", "modifiersymbol", "othersymbol", "unassigned",
    ];

    private static FrozenDictionary<string, UnicodeCategory[]> MakeCategoryNames()
    {
        var names = new Dictionary<string, UnicodeCategory[]>();
        for (int category = 0; category < ShortNames.Length; category++)
        {
            names[Normalize(ShortNames[category])] = names[LongNames[category]] = [(UnicodeCategory)category];
        }

        foreach ((string name, string alias) in new[]
        {
            ("l", "letter"), ("m", "mark"), ("m", "combiningmark"), ("n", "number"), ("p", "punctuation"), ("s", "symbol"), ("z", "separator"), ("c", "other"),
        })
        {
            names[name] = names[alias] =
                [.. Enumerable.Range(0, ShortNames.Length).Where(i => Normalize(ShortNames[i])[0] == name[0]).Select(i => (UnicodeCategory)i)];
        }

        names["lc"] = names["casedletter"] = [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter];
        return names.ToFrozenDictionary();
    }
}
