using System.Globalization;
using System.Text;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>Walks over the characters of a pattern.</summary>
internal sealed class PatternReader
{
    private readonly int[] _characters;
    private int _at;

    public PatternReader(string pattern) => _characters = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];

    public bool AtEnd => _at >= _characters.Length;

    public int Peek(int ahead = 0) => _at + ahead < _characters.Length ? _characters[_at + ahead] : -1;

    public int Next(string missing) => AtEnd ? throw new PatternException(missing) : _characters[_at++];

    /// <summary>Goes on if this text is next.</summary>
    public bool Take(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (Peek(i) != text[i])
            {
                return false;
            }
        }

        _at += text.Length;
        return true;
    }

    /// <summary>Everything up to an end that is read over.</summary>
    public string Until(char end, string missing)
    {
        var text = new StringBuilder();
        for (int next = Next(missing); next != end; next = Next(missing))
        {
            text.Append(new Rune(next));
        }

        return text.ToString();
    }

    /// <summary>Reads as many digits as there are, up to a number.</summary>
    public string Digits(int most, string alphabet = "0123456789")
    {
        int start = _at;
        while (_at - start < most
            && Peek() is >= 0 and < 128 and int next
            && alphabet.Contains((char)next, StringComparison.Ordinal))
        {
            _at++;
        }

        return string.Concat(_characters[start.._at].Select(digit => (char)digit));
    }

    /// <summary>A number of hexadecimal digits; null where there is none.</summary>
    public int? Hexadecimal(int most)
    {
        string digits = Digits(most, "0123456789abcdefABCDEF");
        return digits.Length == 0 ? null
            : uint.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is <= CodePointSet.Last and uint code ? (int)code
            : throw new PatternException($"U+{digits} is no character");
    }

    /// <summary>Goes back to where a try began.</summary>
    public bool Try(Func<bool> step)
    {
        int start = _at;
        bool done = step();
        _at = done ? _at : start;
        return done;
    }
}
