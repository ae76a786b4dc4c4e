namespace SparseExpansion.Models.Generation;

/// <summary>Chooses the tokens of one sequence, one after the other.</summary>
internal sealed class SequenceSampler
{
    private readonly GenerationOptions _options;
    private readonly IReadOnlyCollection<int> _ends;
    private readonly int[] _excluded;
    private readonly HashSet<int> _seen;
    private readonly Random _random;

    /// <param name="options">Sampling.</param>
    /// <param name="ends">Ids that end the text.</param>
    /// <param name="excluded">Ids that are never taken.</param>
    /// <param name="prompt">The tokens before.</param>
    /// <param name="number">Number of the sequence in its batch; each has random numbers of its own.</param>
    public SequenceSampler(
        GenerationOptions options, IReadOnlyCollection<int> ends, int[] excluded, IEnumerable<int> prompt, int number = 0)
    {
        (_options, _ends, _excluded) = (options, ends, excluded);
        _seen = [.. prompt];
        _random = new Random(unchecked(options.Seed + number));
    }

    /// <summary>True if a token ends the text.</summary>
    public bool IsEnd(int id) => _ends.Contains(id);

    /// <summary>The next token.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <exception cref="SparseExpansionException">A logit is not a number, or no token is left.</exception>
    public GeneratedToken Next(ReadOnlySpan<float> logits)
    {
        double normalizer = LogProbabilities.Normalizer(logits);
        TokenScore[] top = LogProbabilities.Top(logits, normalizer, _options.TopLogProbabilities);
        float[] changed = logits.ToArray();
        TokenSampler.Penalize(changed, _seen, _options.RepetitionPenalty);
        TokenSampler.AddBias(changed, _options.LogitBias);
        foreach (int id in _excluded)
        {
            changed[id] = float.NegativeInfinity;
        }

        int chosen = TokenSampler.Sample(changed, _options, _random.NextDouble());
        _seen.Add(chosen);
        return new GeneratedToken(chosen, logits[chosen] - normalizer, top);
    }
}
