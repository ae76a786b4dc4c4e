namespace SparseExpansion.Transformers;

/// <summary>Chooses a token by its logits.</summary>
internal static class TokenSampler
{
    /// <summary>The most probable token, the first of equals; or, with a temperature, one by chance.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="options">Temperature, then top-k, then top-p.</param>
    /// <param name="uniform">A random number in [0, 1).</param>
    /// <exception cref="SparseExpansionException">A logit is not a number.</exception>
    public static int Sample(ReadOnlySpan<float> logits, GenerationOptions options, double uniform)
    {
        int best = ArgMax(logits);
        if (options.Temperature == 0)
        {
            return best;
        }

        double[] weights = new double[logits.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = Math.Exp((logits[i] - logits[best]) / options.Temperature);
        }

        bool limited = options.TopK < weights.Length || options.TopP < 1;
        return Draw(weights, limited ? MostProbable(weights, options) : null, uniform);
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]))
            {
                throw new SparseExpansionException($"The model gives a logit that is not a number (token {i}).");
            }

            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }

    /// <summary>The tokens that top-k and top-p leave, most probable first; equals by id.</summary>
    private static int[] MostProbable(double[] weights, GenerationOptions options)
    {
        int[] order = [.. Enumerable.Range(0, weights.Length).OrderByDescending(id => weights[id]).Take(options.TopK ?? weights.Length)];
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

    private static int Draw(double[] weights, int[]? candidates, double uniform)
    {
        int count = candidates?.Length ?? weights.Length;
        double total = candidates?.Sum(id => weights[id]) ?? weights.Sum();
        double left = uniform * total;
        int last = candidates?[0] ?? 0;
        for (int i = 0; i < count; i++)
        {
            int id = candidates?[i] ?? i;
            if (weights[id] == 0)
            {
                continue;
            }

            last = id;
            left -= weights[id];
            if (left < 0)
            {
                break;
            }
        }

        return last;
    }
}
