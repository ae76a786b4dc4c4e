using System.Globalization;
using System.Text;

namespace SparseExpansion.Transformers;

/// <summary>
/// Unicode normalization that never passes text through unchanged by accident: under invariant globalization .NET returns every text
/// as it is, so text that could change is an error there.
/// </summary>
internal static class UnicodeForms
{
    private static readonly bool Works = "e\u0301".Normalize(NormalizationForm.FormC).Length == 1;

    /// <summary>
    /// Characters without combining marks that composition (NFC) changes: singletons, composition exclusions, conjoining Jamo and
    /// compatibility ideographs, as ranges that hold a few others too.
    /// </summary>
    private static readonly (int First, int Last)[] ChangedByComposition =
    [
        (0x340, 0x344), (0x374, 0x374), (0x37E, 0x37E), (0x387, 0x387), (0x958, 0x95F), (0x9DC, 0x9DF), (0xA33, 0xA5E), (0xB5C, 0xB5D),
        (0xF43, 0xFB9), (0x1100, 0x11FF), (0x1F71, 0x1FFD), (0x2000, 0x2001), (0x2126, 0x2126), (0x212A, 0x212B), (0x2329, 0x232A),
        (0x2ADC, 0x2ADC), (0xF900, 0xFAFF), (0xFB1D, 0xFB4E), (0x1D15E, 0x1D1C0), (0x2F800, 0x2FA1F),
    ];

    public static string Normalize(string text, NormalizationForm form)
    {
        if (!Works && (form == NormalizationForm.FormC ? text.EnumerateRunes().Any(MayCompose) : text.Any(c => c > 127)))
        {
            throw new CheckpointException(
                $"The tokenizer normalizes text to {form}, and this text may need it, but the process runs with invariant globalization. "
                + "Install ICU and set InvariantGlobalization to false.");
        }

        return text.Normalize(form);
    }

    /// <summary>The text with lone surrogates, which have no UTF-8 form, replaced by U+FFFD.</summary>
    public static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? string.Concat(text.EnumerateRunes()) : text;

    private static bool MayCompose(Rune rune)
    {
        if (rune.Value < 0x300)
        {
            return false;
        }

        UnicodeCategory category = Rune.GetUnicodeCategory(rune);
        return category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            || ChangedByComposition.Any(range => rune.Value >= range.First && rune.Value <= range.Last);
    }
}
