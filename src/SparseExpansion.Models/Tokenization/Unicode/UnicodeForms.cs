using System.Text;

namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>
/// The normalization forms of Unicode (UAX #15), by tables of our own: <see cref="string.Normalize()"/> returns every
/// text as it is under invariant globalization, and the version of its tables is that of the machine's ICU.
/// </summary>
internal static class UnicodeForms
{
    /// <summary>The form of a text; the text itself where it has the form.</summary>
    /// <param name="text">Text without lone surrogates.</param>
    /// <param name="form">The form.</param>
    public static string Normalize(string text, NormalizationForm form)
    {
        // Below these characters, no form changes or composes anything.
        (Changes mask, char plain) = form switch
        {
            NormalizationForm.FormC => (Changes.Composed, '\u0300'),
            NormalizationForm.FormD => (Changes.Decomposed, '\u00C0'),
            NormalizationForm.FormKC => (Changes.CompatiblyComposed, '\u00A0'),
            NormalizationForm.FormKD => (Changes.CompatiblyDecomposed, '\u00A0'),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "Not a normalization form."),
        };
        int first = text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(plain - 1));
        return first < 0 ? text : Normalize(text, Math.Max(0, first - 1), form, mask);
    }

    /// <summary>The text with lone surrogates, which have no UTF-8 form, replaced by U+FFFD.</summary>
    public static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? string.Concat(text.EnumerateRunes()) : text;

    /// <summary>
    /// Rewrites the stretches that may change. A stretch starts and ends at characters of class 0 that the form leaves
    /// alone: nothing composes or is reordered across them.
    /// </summary>
    private static string Normalize(string text, int start, NormalizationForm form, Changes mask)
    {
        Decompositions table = Decompositions.Shared.Value;
        StringBuilder? result = null;
        int done = 0;
        int stretch = start;
        byte before = 0;
        for (int at = start; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int length);
            byte combining = table.ClassOf(rune.Value);
            bool ordered = combining == 0 || combining >= before;
            if (ordered && (table.ChangesOf(rune.Value) & mask) == 0)
            {
                stretch = combining == 0 ? at : stretch;
                before = combining;
                at += length;
                continue;
            }

            int end = EndOfStretch(text, at + length, table, mask);
            (result ??= new StringBuilder(text.Length)).Append(text, done, stretch - done);
            Append(text.AsSpan(stretch, end - stretch), form, table, result);
            (done, stretch, at, before) = (end, end, end, 0);
        }

        // Marks that might compose may come out as they were.
        string normalized = result is null ? text : result.Append(text, done, text.Length - done).ToString();
        return normalized == text ? text : normalized;
    }

    private static int EndOfStretch(string text, int at, Decompositions table, Changes mask)
    {
        while (at < text.Length)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int length);
            if (table.ClassOf(rune.Value) == 0 && (table.ChangesOf(rune.Value) & mask) == 0)
            {
                break;
            }

            at += length;
        }

        return at;
    }

    private static void Append(
        ReadOnlySpan<char> stretch, NormalizationForm form, Decompositions table, StringBuilder result)
    {
        bool compatible = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        var codes = new List<int>(stretch.Length);
        foreach (Rune rune in stretch.EnumerateRunes())
        {
            table.Decompose(rune.Value, compatible, codes);
        }

        Order(codes, table);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
        {
            codes = Compose(codes, table);
        }

        foreach (int code in codes)
        {
            result.Append(new Rune(code));
        }
    }

    /// <summary>Sorts each run of combining characters by class; equal ones keep their order.</summary>
    private static void Order(List<int> codes, Decompositions table)
    {
        for (int start = 0; start < codes.Count; start++)
        {
            int end = start;
            while (end < codes.Count && table.ClassOf(codes[end]) > 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                int[] ordered = [.. codes.GetRange(start, end - start).OrderBy(code => table.ClassOf(code))];
                for (int i = 0; i < ordered.Length; i++)
                {
                    codes[start + i] = ordered[i];
                }
            }

            start = end;
        }
    }

    private static List<int> Compose(List<int> codes, Decompositions table)
    {
        var result = new List<int>(codes.Count);
        int starter = -1;

        // The class of what stands between the starter and the next character; −1 for nothing.
        int between = -1;
        foreach (int code in codes)
        {
            int combining = table.ClassOf(code);
            if (starter >= 0 && between < combining && table.Compose(result[starter], code) is { } composed)
            {
                result[starter] = composed;
                continue;
            }

            result.Add(code);
            (starter, between) = combining == 0 ? (result.Count - 1, -1) : (starter, combining);
        }

        return result;
    }
}
