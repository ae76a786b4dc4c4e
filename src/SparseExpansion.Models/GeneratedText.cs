namespace SparseExpansion.Models;

/// <summary>New text after one prompt of a batch.</summary>
/// <param name="Text">The text, without a stop string.</param>
/// <param name="PromptTokens">Tokens of the prompt, start tokens included.</param>
/// <param name="Tokens">The new tokens, those of a stop string included.</param>
/// <param name="FinishReason">Reason for the end.</param>
public sealed record GeneratedText(
    string Text, int PromptTokens, IReadOnlyList<GeneratedToken> Tokens, FinishReason FinishReason);
