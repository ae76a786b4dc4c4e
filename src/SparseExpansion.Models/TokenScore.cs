namespace SparseExpansion.Models;

/// <summary>A token and how probable the model finds it.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">Natural logarithm of its probability after the tokens before it, by the model alone:
/// before temperature, penalties, bias and limits.</param>
public readonly record struct TokenScore(int Id, double LogProbability);
