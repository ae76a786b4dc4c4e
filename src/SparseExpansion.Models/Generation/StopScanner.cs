namespace SparseExpansion.Models.Generation;

/// <summary>
/// Lets text through up to the first stop string; what may be the beginning of one waits until that is known. The first
/// to be complete counts, of
/// several that end at the same character the longest: so it does not matter which pieces the text comes in.
/// </summary>
/// <param name="stops">The stop strings, none empty.</param>
internal sealed class StopScanner(IReadOnlyList<string> stops)
{
    private string _waiting = "";

    /// <summary>True once a stop string has come; there is no more text then.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes a piece of text and gives what is certain not to belong to a stop string.</summary>
    public string Take(string piece)
    {
        string text = _waiting + piece;
        for (int end = _waiting.Length + 1; end <= text.Length; end++)
        {
            string? stop = stops.Where(stop => text.AsSpan(0, end).EndsWith(stop, StringComparison.Ordinal))
                .MaxBy(stop => stop.Length);
            if (stop is not null)
            {
                (Stopped, _waiting) = (true, "");
                return text[..(end - stop.Length)];
            }
        }

        int certain = text.Length - Beginning(text);
        _waiting = text[certain..];
        return text[..certain];
    }

    /// <summary>Text held back at the end: it did not become a stop string.</summary>
    public string Rest() => _waiting;

    /// <summary>Length of the longest end of a text that a stop string begins with.</summary>
    private int Beginning(string text) => stops.Count == 0
        ? 0
        : Enumerable.Range(0, Math.Min(text.Length, stops.Max(stop => stop.Length - 1)) + 1)
            .Last(length => stops.Any(stop => stop.Length > length && stop.AsSpan(0, length).SequenceEqual(text.AsSpan(text.Length - length))));
}
