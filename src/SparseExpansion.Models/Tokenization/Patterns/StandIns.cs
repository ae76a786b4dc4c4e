using System.Text;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// .NET matches UTF-16 units, so one unit must stand for each character beyond U+FFFF. All that a pattern can tell of a
/// character is which
/// of its classes hold it; characters that agree in this share a surrogate, which well-formed text has no other use
/// for.
/// </summary>
internal sealed class StandIns
{
    private const int FirstUnit = 0xD800;
    private const int Units = 0x800;
    private const int FirstBeyond = 0x10000;

    private readonly int[] _starts;
    private readonly char[] _units;
    private readonly Dictionary<CodePointSet, CodePointSet> _bySet = new(ReferenceEqualityComparer.Instance);

    /// <param name="sets">The classes of the pattern.</param>
    public StandIns(IEnumerable<CodePointSet> sets)
    {
        CodePointSet[] all = [.. sets.Distinct(ReferenceEqualityComparer.Instance).Cast<CodePointSet>()];
        ILookup<string, CodePointSet> telling = all.Where(set => Boundaries(set).Any())
            .ToLookup(set => string.Join(' ', Boundaries(set)) + set.Contains(FirstBeyond));
        CodePointSet[] different = [.. telling.Select(same => same.First())];
        _starts = [.. different.SelectMany(Boundaries).Append(FirstBeyond).Distinct().Order()];
        var units = new Dictionary<string, char>(StringComparer.Ordinal);
        _units = [.. _starts.Select(start => UnitOf(start, different, units))];
        foreach (CodePointSet set in all)
        {
            _bySet[set] = set.Contains(FirstBeyond)
                ? CodePointSet.Of(FirstUnit, FirstUnit + Units - 1)
                : CodePointSet.Empty;
        }

        foreach (IGrouping<string, CodePointSet> same in telling)
        {
            CodePointSet members = CodePointSet.Of(_starts.Index().Where(item => same.First().Contains(item.Item)).Select(item => (int)_units[item.Index]).Distinct());
            foreach (CodePointSet set in same)
            {
                _bySet[set] = members;
            }
        }
    }

    /// <summary>
    /// The text with one unit for each character, and where these are in the text; null where they are at the same
    /// places.
    /// </summary>
    public (string Searched, int[]? Positions) Replace(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return (text, null);
        }

        char[] searched = new char[text.Length];
        int[] positions = new int[text.Length + 1];
        int count = 0;
        for (int at = 0; at < text.Length; count++)
        {
            positions[count] = at;
            if (!char.IsSurrogate(text[at]))
            {
                searched[count] = text[at++];
                continue;
            }

            Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int length);
            searched[count] = rune.IsBmp ? (char)rune.Value : Of(rune.Value);
            at += length;
        }

        positions[count] = text.Length;
        return (new string(searched, 0, count), positions);
    }

    private char Of(int codePoint)
    {
        int index = Array.BinarySearch(_starts, codePoint);
        return _units[index >= 0 ? index : ~index - 1];
    }

    /// <summary>A class in .NET's spelling.</summary>
    public string Spell(CharacterClass characters)
    {
        var text = new StringBuilder(characters.Native);
        foreach ((int first, int last) in _bySet[characters.Named].Ranges)
        {
            text.Append(CharacterClass.Spell(first)).Append('-').Append(CharacterClass.Spell(last));
        }

        return text.Length > 0
            ? $"[{(characters.Negated ? "^" : "")}{text}]"
            : characters.Negated ? @"[\0-\uFFFF]"
            : "(?!)";
    }

    /// <summary>Code points beyond U+FFFF at which the set begins or ends.</summary>
    private static IEnumerable<int> Boundaries(CodePointSet set) =>
        set.Ranges.SelectMany(range => new[] { range.First, range.Last + 1 })
            .Where(start => start is > FirstBeyond and <= CodePointSet.Last);

    private static char UnitOf(int codePoint, CodePointSet[] sets, Dictionary<string, char> units)
    {
        string signature = string.Concat(sets.Select(set => set.Contains(codePoint) ? '1' : '0'));
        if (!units.TryGetValue(signature, out char unit))
        {
            unit = units.Count < Units
                ? (char)(FirstUnit + units.Count)
                : throw new PatternException("has too many different classes");
            units.Add(signature, unit);
        }

        return unit;
    }
}
