using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Evaluate;

/// <summary>Result of <c>evaluate</c>; its properties are those of the JSON output.</summary>
/// <param name="Perplexity">exp of <paramref name="NllPerToken"/>.</param>
/// <param name="NllPerToken">Mean negative log-likelihood of a predicted token, in nats.</param>
/// <param name="PredictedTokens">Number of predictions.</param>
/// <param name="Windows">Number of windows.</param>
/// <param name="Context">Tokens per window.</param>
/// <param name="Seconds">Time of the measurement, without loading.</param>
internal sealed record EvaluateReport(
    double Perplexity, double NllPerToken, long PredictedTokens, int Windows, int Context, double Seconds);
