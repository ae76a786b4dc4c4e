namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>A token that is found in the text before anything else is done with it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text that it stands for.</param>
/// <param name="Special">True for tokens that are no text, such as the end of a document.</param>
/// <param name="Normalized">True if it is looked for, normalized itself, in the normalized text.</param>
/// <param name="StripLeft">True if it swallows white space before it.</param>
/// <param name="StripRight">True if it swallows white space after it.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Special, bool Normalized, bool StripLeft, bool StripRight)
{
    /// <summary>True if it is found only where no word character stands before or after it.</summary>
    public bool SingleWord { get; init; }
}
