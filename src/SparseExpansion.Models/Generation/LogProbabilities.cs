namespace SparseExpansion.Models.Generation;

/// <summary>Logarithms of the probabilities that logits stand for.</summary>
internal static class LogProbabilities
{
    /// <summary>ln Σ exp l: a logit less this is the logarithm of its probability.</summary>
    /// <param name="logits">[vocabulary].</param>
    public static double Normalizer(ReadOnlySpan<float> logits)
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp((double)logit - largest);
        }

        return largest + Math.Log(sum);
    }

    /// <summary>The most probable tokens, equals by id.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="normalizer">Of <see cref="Normalizer"/>.</param>
    /// <param name="count">Number of tokens wanted.</param>
    public static TokenScore[] Top(ReadOnlySpan<float> logits, double normalizer, int count)
    {
        if (count == 0)
        {
            return [];
        }

        float[] values = logits.ToArray();
        return [.. Enumerable.Range(0, values.Length).OrderByDescending(id => values[id]).Take(count)
            .Select(id => new TokenScore(id, values[id] - normalizer))];
    }
}
