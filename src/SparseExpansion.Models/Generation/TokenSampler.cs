namespace SparseExpansion.Models.Generation;

/// <summary>Chooses a token by its logits.</summary>
internal static class TokenSampler
{
    /// <summary>The most probable token, the first of equals; or, with a temperature, one by chance.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="options">Filters of the vocabulary.</param>
    /// <param name="uniform">A random number in [0, 1).</param>
    /// <exception cref="SparseExpansionException">A logit is not a number, or none is left.</exception>
    public static int Sample(ReadOnlySpan<float> logits, GenerationOptions options, double uniform) =>
        Distribution(logits, options).At(uniform);

    /// <summary>Makes tokens that were there already less probable.</summary>
    /// <param name="logits">[vocabulary], changed in place.</param>
    /// <param name="seen">Ids of the text so far, each once.</param>
    /// <param name="penalty"><see cref="GenerationOptions.RepetitionPenalty"/>.</param>
    public static void Penalize(Span<float> logits, IReadOnlySet<int> seen, double penalty)
    {
        foreach (int id in seen)
        {
            logits[id] = Rounded(logits[id], logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
        }
    }

    /// <summary>Adds numbers to logits.</summary>
    /// <param name="logits">[vocabulary], changed in place.</param>
    /// <param name="bias"><see cref="GenerationOptions.LogitBias"/>.</param>
    public static void AddBias(Span<float> logits, IReadOnlyDictionary<int, double> bias)
    {
        foreach ((int id, double added) in bias)
        {
            logits[id] = Rounded(logits[id], logits[id] + added);
        }
    }

    /// <summary>Tokens that remain after temperature, top-k, top-p and min-p, in this order.</summary>
    /// <param name="logits">[vocabulary]; minus infinity leaves a token out.</param>
    /// <param name="options">The limits.</param>
    /// <exception cref="SparseExpansionException">A logit is not a number, or none is left.</exception>
    public static TokenDistribution Distribution(ReadOnlySpan<float> logits, GenerationOptions options)
    {
        int best = ArgMax(logits);
        if (options.Temperature == 0)
        {
            return new TokenDistribution([best], [1]);
        }

        double[] weights = new double[logits.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = Math.Exp(((double)logits[i] - logits[best]) / options.Temperature);
        }

        IEnumerable<int> left = Enumerable.Range(0, weights.Length).Where(id => weights[id] > 0);
        if (options.TopK < weights.Length || options.TopP < 1)
        {
            left = MostProbable([.. left], weights, options);
        }

        // The weight of the most probable token is 1.
        int[] ids = [.. left.Where(id => weights[id] >= options.MinP)];
        return new TokenDistribution(ids, [.. ids.Select(id => weights[id])]);
    }

    /// <summary>
    /// A logit as the options change it. A large one stays finite, so that only those of the model can be infinite.
    /// </summary>
    private static float Rounded(float before, double changed) =>
        float.IsFinite(before) ? (float)Math.Min(changed, float.MaxValue) : (float)changed;

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i]))
            {
                throw new SparseExpansionException(
                    $"The model gives a logit that is not a number (token {i}): {logits[i]}.");
            }

            best = logits[i] > logits[best] ? i : best;
        }

        return float.IsNegativeInfinity(logits[best])
            ? throw new SparseExpansionException("The model gives every token a probability of zero.")
            : best;
    }

    /// <summary>The tokens that top-k and top-p leave, most probable first; equals by id.</summary>
    private static int[] MostProbable(int[] ids, double[] weights, GenerationOptions options)
    {
        int[] order = [.. ids.OrderByDescending(id => weights[id]).Take(options.TopK ?? ids.Length)];
        if (options.TopP == 1)
        {
            // The sum would reach its rounded total before the least probable tokens are added.
            return order;
        }

        double enough = options.TopP * order.Sum(id => weights[id]);
        double sum = 0;
        int count = 0;
        while (count < order.Length && (count == 0 || sum < enough))
        {
            sum += weights[order[count]];
            count++;
        }

        return order[..count];
    }
}
