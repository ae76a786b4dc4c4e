using SparseExpansion.Models.Tokenization.Patterns;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Cuts a text at the matches of a pattern.</summary>
internal static class PieceCutter
{
    /// <param name="text">The text.</param>
    /// <param name="pattern">Pattern at whose matches to cut; an empty match cuts too.</param>
    /// <param name="behavior">Treatment of the matches.</param>
    /// <param name="invert">True swaps matches and the text between them.</param>
    /// <returns>Non-empty pieces in order.</returns>
    public static IEnumerable<string> Cut(string text, TextMatcher pattern, PieceBehavior behavior, bool invert)
    {
        List<(int Start, int End, bool IsMatch)> parts = Parts(text, pattern, invert);
        int start = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            (int from, int to, bool isMatch) = parts[i];
            if (i + 1 < parts.Count && KeepsTogether(parts, i, behavior))
            {
                continue;
            }

            if (start < to && !(isMatch && behavior == PieceBehavior.Removed))
            {
                yield return text[start..to];
            }

            start = to;
        }
    }

    /// <summary>True if a part and the next are of one piece.</summary>
    private static bool KeepsTogether(List<(int Start, int End, bool IsMatch)> parts, int i, PieceBehavior behavior)
    {
        (bool current, bool next) = (parts[i].IsMatch, parts[i + 1].IsMatch);
        return behavior switch
        {
            PieceBehavior.MergedWithPrevious => !current && next,
            PieceBehavior.MergedWithNext => current && !next,
            PieceBehavior.Contiguous => current == next,
            _ => false,
        };
    }

    /// <summary>Matches, of which some may be empty, and the text between them, in order.</summary>
    private static List<(int Start, int End, bool IsMatch)> Parts(string text, TextMatcher pattern, bool invert)
    {
        var parts = new List<(int Start, int End, bool IsMatch)>();
        int done = 0;
        foreach ((int from, int to) in pattern.Matches(text))
        {
            if (from > done)
            {
                parts.Add((done, from, invert));
            }

            parts.Add((from, to, !invert));
            done = to;
        }

        if (done < text.Length)
        {
            parts.Add((done, text.Length, invert));
        }

        return parts;
    }
}
