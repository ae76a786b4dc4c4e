namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>A token of a SentencePiece model.</summary>
/// <param name="Text">Its text, with U+2581 for blanks.</param>
/// <param name="Score">The higher, the earlier it is merged.</param>
/// <param name="Type">Its purpose.</param>
internal sealed record SentencePiece(string Text, float Score, SentencePieceType Type);
