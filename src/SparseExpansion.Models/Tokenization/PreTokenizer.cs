namespace SparseExpansion.Models.Tokenization;

/// <summary>Cuts a normalized text into pieces that are encoded apart, and may rewrite them.</summary>
/// <param name="text">A text between added tokens, or a piece of one.</param>
/// <param name="first">True at the start of the whole text.</param>
internal delegate IEnumerable<string> PreTokenizer(string text, bool first);
