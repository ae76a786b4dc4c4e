using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>What <c>evaluate</c> tells; the names of its properties are those of the JSON.</summary>
/// <param name="Perplexity">exp of <paramref name="NllPerToken"/>.</param>
/// <param name="NllPerToken">Mean negative log-likelihood of a predicted token, in nats.</param>
/// <param name="PredictedTokens">Number of predictions.</param>
/// <param name="Windows">Number of windows.</param>
/// <param name="Context">Tokens of a window.</param>
/// <param name="Seconds">Time of the measurement; loading is not counted.</param>
internal sealed record EvaluateReport(double Perplexity, double NllPerToken, long PredictedTokens, int Windows, int Context, double Seconds);
