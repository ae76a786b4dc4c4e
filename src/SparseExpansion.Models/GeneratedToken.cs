namespace SparseExpansion.Models;

/// <summary>A token of new text.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">See <see cref="TokenScore.LogProbability"/>.</param>
/// <param name="Top">The most probable tokens in its place, as many as
/// <see cref="GenerationOptions.TopLogProbabilities"/> says, most probable first.</param>
public sealed record GeneratedToken(int Id, double LogProbability, IReadOnlyList<TokenScore> Top);
