using System.Collections.Frozen;
using System.Globalization;

namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>
/// The embedded extract of the Unicode Character Database. .NET's own tables depend on the machine (ICU) and on the
/// process (invariant
/// globalization); token ids must not.
/// </summary>
internal static class UnicodeTables
{
    private static readonly Lazy<FrozenDictionary<string, string[]>> Sections = new(Read);
    private static readonly Lazy<FrozenDictionary<string, string>> SetNames = new(FindSetNames);

    /// <summary>The mappings of a section such as "canonical".</summary>
    public static IEnumerable<(int From, int[] To)> Mappings(string section) => Sections.Value[section].Select(entry =>
    {
        string[] parts = entry.Split(':');
        return (Number(parts[0]), parts[1].Split('.').Select(Number).ToArray());
    });

    /// <summary>The canonical combining classes that are not 0.</summary>
    public static IEnumerable<((int First, int Last) Range, byte Value)> CombiningClasses() =>
        Sections.Value["combining"].Select(entry =>
    {
        string[] parts = entry.Split(':');
        return (Range(parts[0]), (byte)Number(parts[1]));
    });

    /// <summary>The characters that no composition gives.</summary>
    public static CodePointSet ExcludedFromComposition() => ToSet(Sections.Value["excluded"]);

    /// <summary>The characters of a script or of a property.</summary>
    /// <param name="name">Its long or short name as <see cref="UnicodeProperties.Normalize"/> writes it.</param>
    public static CodePointSet? FindSet(string name) =>
        SetNames.Value.TryGetValue(name, out string? section) ? ToSet(Sections.Value[section]) : null;

    private static CodePointSet ToSet(string[] entries) => CodePointSet.FromRanges(entries.Select(Range));

    private static (int First, int Last) Range(string entry)
    {
        string[] ends = entry.Split('-');
        return (Number(ends[0]), Number(ends[^1]));
    }

    private static int Number(string text) =>
        int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static FrozenDictionary<string, string> FindSetNames() => Sections.Value.Keys
        .Where(section => section.StartsWith("set ", StringComparison.Ordinal))
        .SelectMany(
            section => section.Split(' ').Skip(1).Select(name => (Name: UnicodeProperties.Normalize(name), section)))
        .ToFrozenDictionary(item => item.Name, item => item.section);

    private static FrozenDictionary<string, string[]> Read()
    {
        using Stream stream = typeof(UnicodeTables).Assembly.GetManifestResourceStream("unicode.txt")!;
        using var reader = new StreamReader(stream);
        var sections = new Dictionary<string, List<string>>();
        List<string> current = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('['))
            {
                sections.Add(line[1..^1], current = []);
            }
            else if (!line.StartsWith('#'))
            {
                current.AddRange(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return sections.ToFrozenDictionary(item => item.Key, item => item.Value.ToArray());
    }
}
