using System.Text;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// Reads a class in brackets, with the sets inside of it: ranges, escapes, [:names:], classes in brackets and
/// &amp;&amp;.
/// </summary>
internal static class ClassReader
{
    private const string NoEnd = "has a class without its closing bracket";

    /// <summary>Reads from after the opening bracket to after the closing one.</summary>
    /// <param name="reader">The pattern.</param>
    /// <param name="depth">Number of open brackets around it.</param>
    public static CharacterClass Read(PatternReader reader, int depth)
    {
        if (depth > PatternParser.MostDepth)
        {
            throw new PatternException("nests classes too deeply");
        }

        bool negated = reader.Take("^");
        if (reader.Peek() == ']' && !HasLaterEnd(reader))
        {
            throw new PatternException("has an empty class");
        }

        CharacterClass? earlier = null;
        var operand = new Operand();
        bool first = true;
        while (first || reader.Peek() != ']')
        {
            if (reader.Take("&&"))
            {
                earlier = And(earlier, operand.ToClass());
                operand = new Operand();
            }
            else
            {
                ReadItem(reader, operand, depth, first);
            }

            first = false;
        }

        reader.Take("]");
        CharacterClass result = And(earlier, operand.ToClass());
        return result with { Negated = negated };
    }

    private static CharacterClass And(CharacterClass? left, CharacterClass right) =>
        left is null ? right : new CharacterClass(left.Named.Intersect(right.Named));

    private static void ReadItem(PatternReader reader, Operand operand, int depth, bool first)
    {
        bool nested = reader.Peek() == '[' && reader.Peek(1) != ':';
        if (ReadSet(reader, depth) is { } set)
        {
            operand.Add(set);
            operand.EndsInRange = nested;
            if (!nested && reader.Peek() == '-' && reader.Peek(1) != ']')
            {
                throw new PatternException("has a range that starts at a set");
            }

            return;
        }

        int from = ReadCharacter(reader);
        bool literal = from == '-' && !first;
        if (reader.Peek() != '-' || reader.Peek(1) == ']' || (literal && operand.EndsInRange))
        {
            operand.Add(from, from);
            return;
        }

        reader.Take("-");
        if (ReadSet(reader, depth) is not null)
        {
            throw new PatternException("has a range that ends at a set");
        }

        int to = ReadCharacter(reader);
        if (to < from)
        {
            throw new PatternException("has a range whose end is before its start");
        }

        operand.Add(from, to);
        operand.EndsInRange = true;
    }

    private static CharacterClass? ReadSet(PatternReader reader, int depth)
    {
        if (reader.Peek() == '[')
        {
            CharacterClass? named = null;
            reader.Try(() => (named = ReadName(reader)) is not null);
            if (named is not null)
            {
                return named;
            }

            reader.Take("[");
            return Read(reader, depth + 1);
        }

        CharacterClass? escaped = null;
        reader.Try(() => reader.Take("\\") && (escaped = EscapeReader.ReadClass(reader)) is not null);
        return escaped;
    }

    /// <summary>[:alpha:] and [:^alpha:], with the brackets.</summary>
    private static CharacterClass? ReadName(PatternReader reader)
    {
        if (!reader.Take("[:"))
        {
            return null;
        }

        bool negated = reader.Take("^");
        string name = reader.Digits(20, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (!reader.Take(":]"))
        {
            return null;
        }

        CodePointSet set =
            UnicodeProperties.FindPosix(name) ?? throw new PatternException($"uses [:{name}:], which is not known");
        return new CharacterClass(set, negated);
    }

    private static int ReadCharacter(PatternReader reader)
    {
        int next = reader.Next(NoEnd);
        return next != '\\' ? next
            : reader.Take("b") ? '\b'
            : reader.Peek() is 'R' or 'X' or 'N' or 'O' ? throw new PatternException(
                $@"uses \{(char)reader.Peek()} in a class, which is not supported")
            : EscapeReader.ReadCharacter(reader);
    }

    /// <summary>A closing bracket that comes first is a character if another one ends the class.</summary>
    private static bool HasLaterEnd(PatternReader reader)
    {
        for (int ahead = 1; reader.Peek(ahead) >= 0; ahead++)
        {
            if (reader.Peek(ahead) == ']')
            {
                return true;
            }

            ahead += reader.Peek(ahead) == '\\' ? 1 : 0;
        }

        return false;
    }

    /// <summary>The union of what was read between two &amp;&amp;.</summary>
    private sealed class Operand
    {
        private readonly List<CodePointSet> _sets = [];
        private readonly StringBuilder _native = new();

        /// <summary>True right after a range or a class in brackets: a hyphen there is a character.</summary>
        public bool EndsInRange { get; set; }

        public void Add(int first, int last) => Add(new CharacterClass(CodePointSet.Of(first, last)));

        public void Add(CharacterClass characters)
        {
            _sets.Add(characters.Set);
            _native.Append(characters.Negated ? CharacterClass.Spell(characters.Set) : characters.Native);
            EndsInRange = false;
        }

        public CharacterClass ToClass() => new(CodePointSet.Union(_sets), false, _native.ToString());
    }
}
