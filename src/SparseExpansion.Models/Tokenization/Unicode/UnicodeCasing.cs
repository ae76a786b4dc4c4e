using System.Collections.Frozen;
using System.Text;

namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>Lowercase and case folding of Unicode, independent of cultures.</summary>
internal static class UnicodeCasing
{
    private static readonly Lazy<FrozenDictionary<int, string>> Lower = new(() =>
        UnicodeTables.Mappings("lower").GroupBy(item => item.From)
            .ToFrozenDictionary(item => item.Key, item => ToText(item.Last().To)));

    /// <summary>Characters that fold to the same one, by each of them.</summary>
    private static readonly Lazy<FrozenDictionary<int, int[]>> Classes = new(MakeClasses);

    private static readonly Lazy<FrozenDictionary<int, int[]>> Full = new(() =>
        UnicodeTables.Mappings("foldFull").ToFrozenDictionary(item => item.From, item => item.To));

    /// <summary>
    /// The full mapping, character by character as in Rust's <c>char::to_lowercase</c>: İ becomes i and U+0307, and Σ
    /// becomes σ wherever it stands.
    /// </summary>
    public static string ToLower(string text)
    {
        StringBuilder? result = null;
        int done = 0;
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int end = at + rune.Utf16SequenceLength;
            if (Lower.Value.TryGetValue(rune.Value, out string? lower))
            {
                (result ??= new StringBuilder(text.Length)).Append(text, done, at - done).Append(lower);
                done = end;
            }

            at = end;
        }

        return result is null ? text : result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>The characters that equal one when case does not count, itself among them.</summary>
    public static IReadOnlyList<int> Equivalents(int codePoint) =>
        Classes.Value.TryGetValue(codePoint, out int[]? all) ? all : [codePoint];

    /// <summary>The characters of a set and all that equal one of them when case does not count.</summary>
    public static CodePointSet Close(CodePointSet set) =>
        CodePointSet.Union(
            set, CodePointSet.Of(Classes.Value.Where(item => set.Contains(item.Key)).SelectMany(item => item.Value)));

    /// <summary>The several characters that one equals when case does not count, as ß equals ss.</summary>
    public static int[]? FindSeveral(int codePoint) => Full.Value.GetValueOrDefault(codePoint);

    /// <summary>Characters that equal several, with these.</summary>
    public static IEnumerable<(int CodePoint, int[] Several)> AllSeveral =>
        Full.Value.Select(item => (item.Key, item.Value));

    private static string ToText(int[] codePoints) => string.Concat(codePoints.Select(char.ConvertFromUtf32));

    private static FrozenDictionary<int, int[]> MakeClasses()
    {
        var classes = new Dictionary<int, int[]>();
        foreach (IGrouping<int, int> folded in UnicodeTables.Mappings("fold").GroupBy(item => item.To[0], item => item.From))
        {
            int[] all = [folded.Key, .. folded];
            foreach (int member in all)
            {
                classes.Add(member, all);
            }
        }

        return classes.ToFrozenDictionary();
    }
}
