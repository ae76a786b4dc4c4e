namespace SparseExpansion.Models;

/// <summary>New tokens after one prompt of a batch.</summary>
/// <param name="Tokens">The tokens, without one that ended the text.</param>
/// <param name="FinishReason">Reason for the end.</param>
public sealed record GeneratedSequence(IReadOnlyList<GeneratedToken> Tokens, FinishReason FinishReason);
