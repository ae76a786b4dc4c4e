using System.Text.Json.Serialization;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Generate;

/// <summary>Result of <c>generate</c>; its properties are those of the JSON output.</summary>
/// <param name="Prompt">The text that was continued.</param>
/// <param name="Text">The new text, without a stop string.</param>
/// <param name="PromptTokens">Tokens of the prompt, including start tokens.</param>
/// <param name="NewTokens">Generated tokens, including those of a stop string.</param>
/// <param name="FinishReason">Reason for the end of the text: endToken, stopString or length.</param>
/// <param name="Seed">Seed of the sampling.</param>
/// <param name="Seconds">Time of the generation, without loading.</param>
/// <param name="PrefillTokensPerSecond">Tokens of the prompt per second, up to the first new token.</param>
/// <param name="DecodeTokensPerSecond">New tokens per second, from the second on.</param>
internal sealed record GenerateReport(
    string Prompt,
    string Text,
    int PromptTokens,
    int NewTokens,
    [property: JsonConverter(typeof(FinishReasonConverter))] FinishReason FinishReason,
    int Seed,
    double Seconds,
    double PrefillTokensPerSecond,
    double DecodeTokensPerSecond);
