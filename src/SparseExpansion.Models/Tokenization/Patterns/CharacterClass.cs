using System.Text;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>A set of characters that a pattern asks for at one place.</summary>
/// <param name="Named">The characters that it names.</param>
/// <param name="Negated">True for all others.</param>
/// <param name="Native">.NET spelling of the named ones up to U+FFFF, inside brackets.</param>
internal sealed record CharacterClass(CodePointSet Named, bool Negated, string Native)
{
    public CharacterClass(CodePointSet named, bool negated = false)
        : this(named, negated, Spell(named))
    {
    }

    public CodePointSet Set => Negated ? Named.Complement() : Named;

    /// <summary>One character, or several of which each will do.</summary>
    public static CharacterClass Of(params IEnumerable<int> codePoints) => new(CodePointSet.Of(codePoints));

    /// <summary>
    /// The ranges of a set up to U+FFFF, without surrogates: these units stand for the characters beyond.
    /// </summary>
    public static string Spell(CodePointSet set)
    {
        var text = new StringBuilder();
        foreach ((int first, int last) in set.Ranges)
        {
            Append(first, Math.Min(last, 0xD7FF), text);
            Append(Math.Max(first, 0xE000), Math.Min(last, 0xFFFF), text);
        }

        return text.ToString();
    }

    public static string Spell(int unit) => $@"\u{unit:X4}";

    private static void Append(int first, int last, StringBuilder text)
    {
        if (first <= last)
        {
            text.Append(Spell(first)).Append(first < last ? "-" + Spell(last) : "");
        }
    }
}
