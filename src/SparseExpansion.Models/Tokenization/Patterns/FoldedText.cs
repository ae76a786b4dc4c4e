using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// Characters of a pattern where case does not count: each may be any that folds to the same, and ß is ss too.
/// </summary>
internal static class FoldedText
{
    private const int MostAlternatives = 64;

    private static readonly Lazy<ILookup<int, (int CodePoint, int[] Several)>> ByFirst = new(() =>
        UnicodeCasing.AllSeveral.ToLookup(item => Fold(item.Several[0])));

    /// <summary>The parts of a row of characters.</summary>
    public static IEnumerable<PatternPart> Translate(IReadOnlyList<int> text)
    {
        for (int at = 0; at < text.Count;)
        {
            int end = EndOfBlock(text, at);
            List<PatternPart[]> alternatives = [.. Alternatives(text, at, end).Take(MostAlternatives + 1)];
            if (alternatives.Count > MostAlternatives)
            {
                throw new PatternException("has too many case-insensitive spellings");
            }

            foreach (PatternPart part in alternatives.Count == 1 ? alternatives[0] : PatternPart.Group("(?:", PatternPart.Join(alternatives)))
            {
                yield return part;
            }

            at = end;
        }
    }

    /// <summary>A class where case does not count.</summary>
    public static PatternPart[] Translate(CharacterClass characters)
    {
        CodePointSet closed = UnicodeCasing.Close(characters.Named);
        var result = new CharacterClass(
            closed, characters.Negated, characters.Native + CharacterClass.Spell(closed.Except(characters.Named)));
        PatternPart[][] several = characters.Negated ? []
            : [.. UnicodeCasing.AllSeveral.Where(item => closed.Contains(item.CodePoint)).OrderBy(item => item.CodePoint).Select(item => Spell(item.Several))];
        return several.Length == 0 ? [result] : PatternPart.Group("(?:", PatternPart.Join([[result], .. several]));
    }

    /// <summary>End of the spellings that start at a character or inside of its spellings.</summary>
    private static int EndOfBlock(IReadOnlyList<int> text, int start)
    {
        int end = start + 1;
        for (int at = start; at < end; at++)
        {
            end = Options(text, at, text.Count).Select(option => at + option.Length).Append(end).Max();
        }

        return end;
    }

    private static IEnumerable<PatternPart[]> Alternatives(IReadOnlyList<int> text, int at, int end) => at == end
        ? [[]]
        : Options(text, at, end).SelectMany(option => Alternatives(text, at + option.Length, end).Select(rest => (PatternPart[])[.. option.Parts, .. rest]));

    /// <summary>Spellings of the next characters, and how many they are.</summary>
    private static IEnumerable<(int Length, PatternPart[] Parts)> Options(IReadOnlyList<int> text, int at, int end)
    {
        yield return (1, [CharacterClass.Of(UnicodeCasing.Equivalents(text[at]))]);
        if (UnicodeCasing.FindSeveral(text[at]) is { } several)
        {
            yield return (1, Spell(several));
        }

        IEnumerable<IGrouping<int, int>> ligatures = ByFirst.Value[Fold(text[at])]
            .Where(item => at + item.Several.Length <= end && item.Several.Select((code, i) => Fold(code) == Fold(text[at + i])).All(same => same))
            .GroupBy(item => item.Several.Length, item => item.CodePoint);
        foreach (IGrouping<int, int> group in ligatures)
        {
            yield return (group.Key, [CharacterClass.Of(group)]);
        }
    }

    private static PatternPart[] Spell(int[] codePoints) =>
        [.. codePoints.Select(code => (PatternPart)CharacterClass.Of(UnicodeCasing.Equivalents(code)))];

    private static int Fold(int codePoint) => UnicodeCasing.Equivalents(codePoint)[0];
}
