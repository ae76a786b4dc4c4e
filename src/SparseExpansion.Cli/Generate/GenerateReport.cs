using System.Text.Json.Serialization;
using SparseExpansion.Models.Generation;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>What <c>generate</c> tells; the names of its properties are those of the JSON.</summary>
/// <param name="Prompt">The text that was continued.</param>
/// <param name="Text">The new text, without a stop string.</param>
/// <param name="PromptTokens">Tokens of the prompt, start tokens included.</param>
/// <param name="NewTokens">Tokens that were generated, those of a stop string included.</param>
/// <param name="FinishReason">Why the text ends: endToken, stopString or length.</param>
/// <param name="Seed">Seed of the sampling.</param>
/// <param name="Seconds">Time of the generation; loading is not counted.</param>
internal sealed record GenerateReport(
    string Prompt,
    string Text,
    int PromptTokens,
    int NewTokens,
    [property: JsonConverter(typeof(FinishReasonConverter))] FinishReason FinishReason,
    int Seed,
    double Seconds);
