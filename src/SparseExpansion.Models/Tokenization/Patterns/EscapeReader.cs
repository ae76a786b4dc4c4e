using System.Globalization;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>Reads what follows a backslash and means the same inside and outside of brackets.</summary>
internal static class EscapeReader
{
    private const string AtEnd = "ends at a backslash";

    /// <summary>Categories that hold all of a word's characters but a few.</summary>
    private const string WordCategories = @"\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}";

    /// <summary>
    /// The class of an escape such as \p{L}, after the backslash; null where it is none, and nothing is read.
    /// </summary>
    public static CharacterClass? ReadClass(PatternReader reader) => reader.Peek() switch
    {
        'd' or 'D' => Take(reader, "nd", @"\p{Nd}", 'D'),
        's' or 'S' => Take(reader, "space", @"\s", 'S'),
        'h' or 'H' => Take(reader, "xdigit", null, 'H'),
        'w' or 'W' => new CharacterClass(UnicodeProperties.Word, reader.Next(AtEnd) == 'W', Word),
        'p' or 'P' when reader.Peek(1) == '{' => ReadProperty(reader),
        _ => null,
    };

    /// <summary>The character that an escape stands for, after the backslash.</summary>
    public static int ReadCharacter(PatternReader reader)
    {
        int next = reader.Next(AtEnd);
        return next switch
        {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'f' => '\f',
            'v' => '\v',
            'a' => '\a',
            'e' => 0x1B,
            '0' => Octal("0" + reader.Digits(2, "01234567")),
            >= '1' and <= '9' => ReadOctal(reader, (char)next),
            'x' => ReadHexadecimal(reader),
            'u' => reader.Digits(4, "0123456789abcdefABCDEF") is { Length: 4 } digits
                ? int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : throw new PatternException(@"has \u without four hexadecimal digits"),
            'c' or 'C' or 'M' => throw new PatternException($@"uses \{(char)next}, which is not supported"),
            _ => next,
        };
    }

    private static string Word { get; } = WordCategories + CharacterClass.Spell(UnicodeProperties.Word.Except(
        CodePointSet.Union(new[] { "l", "m", "nl", "nd", "pc" }.Select(name => UnicodeProperties.Find(name)!))));

    private static CharacterClass Take(PatternReader reader, string name, string? native, char negation)
    {
        CodePointSet set = UnicodeProperties.Find(name)!;
        return new CharacterClass(set, reader.Next(AtEnd) == negation, native ?? CharacterClass.Spell(set));
    }

    private static CharacterClass ReadProperty(PatternReader reader)
    {
        bool negated = reader.Next(AtEnd) == 'P';
        reader.Take("{");
        negated ^= reader.Take("^");
        string name = reader.Until('}', @"has \p{ without its end");
        CodePointSet set = UnicodeProperties.Find(name)
            ?? throw new PatternException($@"uses \p{{{name}}}; supported are categories, scripts, POSIX names, Alphabetic, Ideographic and the properties of emoji");
        return new CharacterClass(set, negated, UnicodeCategories.Native(name) ?? CharacterClass.Spell(set));
    }

    /// <summary>\1 … \9 refer to groups; longer numbers are octal.</summary>
    private static int ReadOctal(PatternReader reader, char first)
    {
        string digits = first + reader.Digits(2);
        return digits.Length > 1 && digits.All(digit => digit is >= '0' and <= '7')
            ? Octal(digits)
            : throw new PatternException($@"uses \{digits}; references to groups are not supported");
    }

    private static int Octal(string digits) => digits.Aggregate(0, (value, digit) => (8 * value) + digit - '0');

    private static int ReadHexadecimal(PatternReader reader)
    {
        if (!reader.Take("{"))
        {
            return reader.Hexadecimal(2) ?? 'x';
        }

        int? code = reader.Hexadecimal(8);
        return code is { } known && reader.Take("}")
            ? known
            : throw new PatternException(@"has \x{…} that is not one hexadecimal number");
    }
}
