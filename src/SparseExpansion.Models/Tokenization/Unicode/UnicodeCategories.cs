using System.Collections.Frozen;
using System.Globalization;

namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>The general categories, alone and together, with their characters.</summary>
internal static class UnicodeCategories
{
    /// <summary>Names in the order of <see cref="UnicodeCategory"/>.</summary>
    private static readonly string[] ShortNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly string[] LongNames =
    [
        "uppercaseletter", "lowercaseletter", "titlecaseletter", "modifierletter", "otherletter", "nonspacingmark",
        "spacingmark", "enclosingmark", "decimalnumber", "letternumber", "othernumber", "spaceseparator",
        "lineseparator", "paragraphseparator", "control", "format", "surrogate", "privateuse", "connectorpunctuation",
        "dashpunctuation", "openpunctuation", "closepunctuation", "initialpunctuation", "finalpunctuation",
        "otherpunctuation", "mathsymbol", "currencysymbol", "modifiersymbol", "othersymbol", "unassigned",
    ];

    private static readonly FrozenDictionary<string, UnicodeCategory[]> Names = MakeNames();
    private static readonly Lazy<CodePointSet[]> Sets = new(MakeSets);

    /// <summary>The characters of a category; null where the name is of none.</summary>
    /// <param name="name">Its short or long name as <see cref="UnicodeProperties.Normalize"/> writes it.</param>
    public static CodePointSet? Find(string name) => Names.TryGetValue(name, out UnicodeCategory[]? categories)
        ? CodePointSet.Union(categories.Select(category => Sets.Value[(int)category]))
        : null;

    /// <summary>
    /// The names of .NET for a category, for example "\p{Lu}\p{Ll}"; null where the name is not of a category or holds
    /// surrogates.
    /// </summary>
    public static string? Native(string name)
    {
        string key = UnicodeProperties.Normalize(name);
        return key is "c" or "other" or "cs" or "surrogate"
            || !Names.TryGetValue(key, out UnicodeCategory[]? categories)
            ? null
            : string.Concat(categories.Select(category => $@"\p{{{ShortNames[(int)category]}}}"));
    }

    private static CodePointSet[] MakeSets()
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

    private static FrozenDictionary<string, UnicodeCategory[]> MakeNames()
    {
        var names = new Dictionary<string, UnicodeCategory[]>();
        for (int category = 0; category < ShortNames.Length; category++)
        {
            names[UnicodeProperties.Normalize(ShortNames[category])] =
                names[LongNames[category]] = [(UnicodeCategory)category];
        }

        foreach ((string name, string alias) in new[]
        {
            ("l", "letter"), ("m", "mark"), ("m", "combiningmark"), ("n", "number"), ("p", "punctuation"),
            ("s", "symbol"), ("z", "separator"), ("c", "other"),
        })
        {
            names[name] = names[alias] =
                [.. Enumerable.Range(0, ShortNames.Length).Where(i => UnicodeProperties.Normalize(ShortNames[i])[0] == name[0]).Select(i => (UnicodeCategory)i)];
        }

        names["lc"] = names["casedletter"] =
        [
            UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter,
        ];
        return names.ToFrozenDictionary();
    }
}
