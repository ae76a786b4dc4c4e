namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>
/// A stand-in for the blank in tokens and texts, because merges are written with a blank between their parts.
/// </summary>
internal static class BlankName
{
    /// <summary>The last code point of the private-use area: no vocabulary assigns it a meaning.</summary>
    public const char StandIn = '\uF8FF';

    public static string Hide(string text) => text.Replace(' ', StandIn);
}
