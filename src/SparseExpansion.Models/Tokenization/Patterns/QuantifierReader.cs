using System.Globalization;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>Reads *, +, ? and {…} with what follows them.</summary>
internal static class QuantifierReader
{
    /// <summary>
    /// The quantifier in .NET's spelling and whether it gives nothing back; null where there is none, and nothing is
    /// read.
    /// </summary>
    public static (string Text, bool Possessive)? Read(PatternReader reader, int most)
    {
        foreach (string simple in new[] { "*", "+", "?" })
        {
            if (reader.Take(simple))
            {
                return reader.Take("?") ? (simple + "?", false) : (simple, reader.Take("+"));
            }
        }

        (string, bool)? interval = null;
        reader.Try(() => (interval = ReadInterval(reader, most)) is not null);
        return interval;
    }

    /// <summary>
    /// {n}, {n,}, {,m} and {n,m}. A + after it repeats the whole; a ? does so after {n}, and makes the others lazy.
    /// {m,n} with m > n is {n,m} that
    /// gives nothing back. Braces with anything else in them are characters.
    /// </summary>
    private static (string Text, bool Possessive)? ReadInterval(PatternReader reader, int most)
    {
        if (!reader.Take("{"))
        {
            return null;
        }

        string least = reader.Digits(int.MaxValue);
        bool isRange = reader.Take(",");
        string greatest = isRange ? reader.Digits(int.MaxValue) : least;
        if (!reader.Take("}") || (least.Length == 0 && greatest.Length == 0))
        {
            return null;
        }

        int low = Number(least, 0, most);
        int? high = greatest.Length == 0 ? null : Number(greatest, 0, most);
        bool swapped = low > high;
        string text = swapped ? $"{{{high},{low}}}" : isRange ? $"{{{low},{high}}}" : $"{{{low}}}";
        return isRange && reader.Take("?") ? (text + "?", swapped) : (text, swapped);
    }

    private static int Number(string digits, int missing, int most) => digits.Length == 0 ? missing
        : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= most ? value
        : throw new PatternException($"repeats something {digits} times; at most {most} are supported");
}
