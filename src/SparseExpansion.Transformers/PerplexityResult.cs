namespace SparseExpansion.Transformers;

/// <summary>Perplexity of a model on a text, with the counts behind it.</summary>
/// <param name="Perplexity">exp of the mean negative log-likelihood of a predicted token.</param>
/// <param name="NllPerToken">Mean negative log-likelihood of a predicted token, in nats.</param>
/// <param name="PredictedTokens">Number of predictions: all tokens of every window but its first.</param>
/// <param name="Windows">Number of windows.</param>
/// <param name="Context">Tokens of a window.</param>
public sealed record PerplexityResult(
    double Perplexity, double NllPerToken, long PredictedTokens, int Windows, int Context);
