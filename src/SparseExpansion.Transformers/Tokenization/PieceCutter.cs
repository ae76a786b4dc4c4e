using System.Text;
using System.Text.RegularExpressions;

namespace SparseExpansion.Transformers;

/// <summary>Cuts a text at the matches of a pattern.</summary>
internal static class PieceCutter
{
    /// <param name="text">The text.</param>
    /// <param name="pattern">Where to cut.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">True swaps matches and the text between them.</param>
    /// <returns>Non-empty pieces in order.</returns>
    public static IEnumerable<string> Cut(string text, Regex pattern, PieceBehavior behavior, bool invert)
    {
        List<(int Start, int End, bool IsMatch)> parts = [.. Parts(text, pattern, invert)];
        int start = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            (int from, int to, bool isMatch) = parts[i];
            bool cutHere = behavior switch
            {
                PieceBehavior.MergedWithPrevious => isMatch || i + 1 == parts.Count || !parts[i + 1].IsMatch,
                PieceBehavior.MergedWithNext => !isMatch || i + 1 == parts.Count || parts[i + 1].IsMatch,
                _ => true,
            };
            if (!cutHere)
            {
                continue;
            }

            if (!(isMatch && behavior == PieceBehavior.Removed))
            {
                yield return text[start..to];
            }

            start = to;
        }
    }

    /// <summary>Matches and the text between them, in order, none empty.</summary>
    private static IEnumerable<(int Start, int End, bool IsMatch)> Parts(string text, Regex pattern, bool invert)
    {
        (string searched, int[]? positions) = Searchable(text);
        int done = 0;
        for (Match match = pattern.Match(searched); match.Success; match = match.NextMatch())
        {
            int from = positions?[match.Index] ?? match.Index;
            int to = positions?[match.Index + match.Length] ?? (match.Index + match.Length);
            if (from == to)
            {
                continue;
            }

            if (from > done)
            {
                yield return (done, from, invert);
            }

            yield return (from, to, !invert);
            done = to;
        }

        if (done < text.Length)
        {
            yield return (done, text.Length, invert);
        }
    }

    /// <summary>
    /// .NET matches UTF-16 units, and classes such as \p{L} never hold a surrogate. Where a text has characters beyond U+FFFF, one
    /// character of the same Unicode category stands for each; the positions lead back to the text.
    /// </summary>
    private static (string Searched, int[]? Positions) Searchable(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return (text, null);
        }

        var searched = new StringBuilder(text.Length);
        var positions = new List<int>(text.Length + 1);
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            positions.Add(at);
            searched.Append(rune.IsBmp ? (char)rune.Value : CategorySample.Of(rune));
            at += rune.Utf16SequenceLength;
        }

        positions.Add(at);
        return (searched.ToString(), [.. positions]);
    }
}
