namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// A piece of a translated pattern: text as .NET wants it, or a class whose text is known once all classes are.
/// </summary>
internal readonly record struct PatternPart(string Text, CharacterClass? Class)
{
    public static implicit operator PatternPart(string text) => new(text, null);

    public static implicit operator PatternPart(CharacterClass characters) => new("", characters);

    public static PatternPart[] Group(string opening, params IEnumerable<PatternPart> parts) =>
        [opening, .. parts, ")"];

    public static PatternPart[] Join(IEnumerable<PatternPart[]> branches) =>
        [.. branches.SelectMany((branch, index) => index == 0 ? branch : [(PatternPart)"|", .. branch])];
}
