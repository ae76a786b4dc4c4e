namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// Reads a pattern in the dialect of Oniguruma, with which the Hugging Face tokenizers were made, and says the same in
/// .NET's. They differ in more than spelling: what ^, $, \h and (?m) mean, how far (?i) reaches, possessive
/// quantifiers, nested classes, the characters beyond U+FFFF.
/// </summary>
internal sealed class PatternParser
{
    public const int MostDepth = 100;
    private const int MostRepeats = 100_000;

    private readonly PatternReader _reader;
    private PatternOptions _options;

    private PatternParser(string pattern) => _reader = new PatternReader(pattern);

    /// <exception cref="PatternException">The pattern is malformed or asks for something unsupported.</exception>
    public static PatternPart[] Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        PatternPart[] result = parser.ReadBranches(0);
        return parser._reader.AtEnd ? result : throw new PatternException("closes a group that is not open");
    }

    private PatternPart[] ReadBranches(int depth)
    {
        if (depth > MostDepth)
        {
            throw new PatternException("nests groups too deeply");
        }

        List<PatternPart[]> branches = [ReadSequence(depth)];
        while (_reader.Take("|"))
        {
            branches.Add(ReadSequence(depth));
        }

        return PatternPart.Join(branches);
    }

    private PatternPart[] ReadSequence(int depth)
    {
        var parts = new List<PatternPart>();
        var folded = new List<int>();
        while (!_reader.AtEnd && _reader.Peek() is not ('|' or ')'))
        {
            if (SkipComment())
            {
                continue;
            }

            (PatternPart[]? atom, int character, bool repeats) = ReadAtom(depth);
            SkipComments();
            bool alone = atom is null && IsQuantifierNext();
            if (atom is null && _options.HasFlag(PatternOptions.IgnoreCase) && !alone)
            {
                folded.Add(character);
                continue;
            }

            parts.AddRange(FoldedText.Translate(folded));
            folded.Clear();
            atom ??= _options.HasFlag(PatternOptions.IgnoreCase)
                ? [.. FoldedText.Translate([character])]
                : Literal(character);
            parts.AddRange(ReadQuantifiers(atom, repeats));
        }

        parts.AddRange(FoldedText.Translate(folded));
        return [.. parts];
    }

    /// <summary>An atom, or a character that stands for itself; and whether it may be repeated.</summary>
    private (PatternPart[]? Atom, int Character, bool Repeats) ReadAtom(int depth)
    {
        int next = _reader.Next("");
        switch (next)
        {
            case '(':
                return ReadGroup(depth);
            case '[':
                CharacterClass characters = ClassReader.Read(_reader, 0);
                return (
                    _options.HasFlag(PatternOptions.IgnoreCase) ? FoldedText.Translate(characters) : [characters], 0,
                    true);
            case '.':
                return (
                    [_options.HasFlag(PatternOptions.DotAll) ? PatternSymbols.Anything : PatternSymbols.AnyButNewline],
                    0, true);
            case '^':
                return ([PatternSymbols.LineStart], 0, false);
            case '$':
                return ([PatternSymbols.LineEnd], 0, false);
            case '*' or '+' or '?':
                throw new PatternException("repeats nothing");
            case '\\':
                return ReadEscape();
            default:
                return (null, next, true);
        }
    }

    private (PatternPart[]? Atom, int Character, bool Repeats) ReadEscape()
    {
        if (PatternSymbols.TryRead(_reader) is { } symbol)
        {
            return (symbol.Parts, 0, symbol.Repeats);
        }

        return EscapeReader.ReadClass(_reader) is { } characters
            ? ([PatternSymbols.WithSuperscripts(characters)], 0, true)
            : (null, EscapeReader.ReadCharacter(_reader), true);
    }

    private (PatternPart[]? Atom, int Character, bool Repeats) ReadGroup(int depth)
    {
        PatternOptions before = _options;
        bool rest = false;
        string opening = "(" + (PatternSymbols.GroupOpenings.FirstOrDefault(_reader.Take) ?? ReadGroupStart(ref rest));
        PatternPart[] inner = ReadBranches(depth + 1);
        if (!rest)
        {
            _options = before;
            if (!_reader.Take(")"))
            {
                throw new PatternException("has a group without its closing parenthesis");
            }
        }

        bool looks = opening.Contains('=', StringComparison.Ordinal) || opening.Contains('!', StringComparison.Ordinal);
        return (PatternPart.Group(opening, inner), 0, !looks);
    }

    /// <summary>
    /// Groups by number or name count for nothing where nothing refers to them; options hold to the end of the group
    /// around them.
    /// </summary>
    private string ReadGroupStart(ref bool rest)
    {
        if (!_reader.Take("?"))
        {
            return "?:";
        }

        if (_reader.Peek() is '<' or '\'' && _reader.Peek(1) is not ('=' or '!'))
        {
            _reader.Until(_reader.Next("") == '<' ? '>' : '\'', "has a group whose name has no end");
            return "?:";
        }

        if (_reader.Peek() == ')')
        {
            throw new PatternException("has a group (?) without options");
        }

        bool on = true;
        while (true)
        {
            int next = _reader.Next("ends inside of a group");
            PatternOptions option = next switch
            {
                'i' => PatternOptions.IgnoreCase,
                'm' => PatternOptions.DotAll,
                'x' => PatternOptions.Extended,
                '-' or ')' or ':' => PatternOptions.None,
                _ => throw new PatternException(
                    $"uses a group (?{char.ConvertFromUtf32(next)}…), which is not supported"),
            };
            _options = on ? _options | option : _options & ~option;
            on &= next != '-';
            if (next is ')' or ':')
            {
                rest = next == ')';
                return "?:";
            }
        }
    }

    private bool SkipComment()
    {
        bool skipped = _reader.Take("(?#");
        if (skipped)
        {
            _reader.Until(')', "has a comment without its end");
        }
        else if (_options.HasFlag(PatternOptions.Extended)
            && _reader.Peek() is ' ' or '\t' or '\n' or '\r' or '\f' or '\v')
        {
            skipped = true;
            _reader.Next("");
        }
        else if (_options.HasFlag(PatternOptions.Extended) && _reader.Take("#"))
        {
            skipped = true;
            while (!_reader.AtEnd && _reader.Next("") != '\n')
            {
            }
        }

        return skipped;
    }

    private void SkipComments()
    {
        while (SkipComment())
        {
        }
    }

    private bool IsQuantifierNext() => _reader.Peek() is '*' or '+' or '?' || (_reader.Peek() == '{' && PeekInterval());

    private bool PeekInterval()
    {
        bool found = false;
        _reader.Try(() =>
        {
            found = QuantifierReader.Read(_reader, MostRepeats) is not null;
            return false;
        });
        return found;
    }

    private PatternPart[] ReadQuantifiers(PatternPart[] atom, bool repeats)
    {
        for (bool again = false; QuantifierReader.Read(_reader, MostRepeats) is { } quantifier; again = true)
        {
            if (!repeats)
            {
                throw new PatternException("repeats a position instead of characters");
            }

            PatternPart[] whole = !again && atom.Length == 1 ? atom : PatternPart.Group("(?:", atom);
            atom = quantifier.Possessive
                ? PatternPart.Group("(?>", [.. whole, quantifier.Text])
                : [.. whole, quantifier.Text];
            SkipComments();
        }

        return atom;
    }

    private static PatternPart[] Literal(int character) => character is > 0xFFFF or (>= 0xD800 and <= 0xDFFF)
        ? [CharacterClass.Of(character)]
        : [char.IsAsciiLetterOrDigit((char)character) ? ((char)character).ToString() : CharacterClass.Spell(character)];
}
