using System.Collections.ObjectModel;

namespace SparseExpansion.Models;

/// <summary>
/// Settings of text generation. Logits go through these steps, in this order: <see cref="RepetitionPenalty"/>,
/// <see cref="LogitBias"/>, <see cref="Temperature"/>, <see cref="TopK"/>, <see cref="TopP"/>, <see cref="MinP"/>; one
/// of the tokens that are left is drawn in proportion to its probability.
/// </summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens that are generated. Default 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>
    /// 0 (default) takes the most probable token, so that top-k, top-p and min-p change nothing; larger values divide
    /// the logits before sampling.
    /// </summary>
    public double Temperature { get; init; }

    /// <summary>Sample among this many most probable tokens only. Default null: all.</summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Sample among the fewest most probable tokens whose probabilities reach this sum only. Default 1: all.
    /// </summary>
    public double TopP { get; init; } = 1;

    /// <summary>
    /// Sample only among tokens that are at least this share as probable as the most probable one, in [0, 1]. Default
    /// 0: all.
    /// </summary>
    public double MinP { get; init; }

    /// <summary>
    /// Divides positive logits of tokens that prompt or new text hold already and multiplies negative ones, larger than
    /// 0. Default 1: changes
    /// nothing; larger values make repetitions rarer. Keskar et al. 2019 (CTRL), section 4.1.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// Numbers that are added to the logits of tokens, by id: minus infinity forbids a token. Default: none.
    /// </summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = ReadOnlyDictionary<int, double>.Empty;

    /// <summary>
    /// Number of most probable tokens that are told beside each new one, see <see cref="GeneratedToken.Top"/>. Default
    /// 0.
    /// </summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>
    /// Treatment of texts that are longer than the model's context. Default <see cref="ContextOverflow.Error"/>.
    /// </summary>
    public ContextOverflow Overflow { get; init; }

    /// <summary>
    /// Texts that end the generation when they appear in new text; they are not put out, not even in part. None is
    /// empty. Default: none.
    /// Only for text: who asks for token ids is refused them.
    /// </summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Seed of the sampling. Default 0. In a batch the n-th prompt, counted from 0, has this seed plus n.
    /// </summary>
    public int Seed { get; init; }

    /// <summary>
    /// Ids that end the text. Default null: those of the model and, where a tokenizer takes part, its end token; empty:
    /// none.
    /// </summary>
    public IReadOnlyList<int>? EosIds { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxNewTokens, 1);
        if (!double.IsFinite(Temperature) || Temperature < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "Must be a number of at least 0.");
        }

        if (TopK is < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(TopK), TopK, "Must be at least 1, or null.");
        }

        if (!(TopP is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "Must be larger than 0 and at most 1.");
        }

        if (!(MinP is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(MinP), MinP, "Must be at least 0 and at most 1.");
        }

        if (!double.IsFinite(RepetitionPenalty) || RepetitionPenalty <= 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(RepetitionPenalty), RepetitionPenalty, "Must be a number larger than 0.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(TopLogProbabilities);
        ArgumentNullException.ThrowIfNull(LogitBias);
        foreach ((int id, double added) in LogitBias)
        {
            if (id < 0 || double.IsNaN(added) || double.IsPositiveInfinity(added))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(LogitBias), added, $"Must have ids of at least 0, and numbers or minus infinity for them; got this for the id {id}.");
            }
        }

        ArgumentNullException.ThrowIfNull(StopStrings);
        if (StopStrings.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException(
                $"{nameof(StopStrings)} holds an empty text, which would end every generation at once.",
                nameof(StopStrings));
        }
    }
}
