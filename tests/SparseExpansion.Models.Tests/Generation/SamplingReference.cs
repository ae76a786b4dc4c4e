namespace SparseExpansion.Models.Generation;

/// <summary>Distributions computed step by step, and whether draws follow them.</summary>
internal static class SamplingReference
{
    /// <summary>Logits as the penalty and the bias leave them.</summary>
    public static float[] Change(float[] logits, IEnumerable<int> text, GenerationOptions options)
    {
        double[] changed = [.. logits.Select(logit => (double)logit)];
        foreach (int id in text.Distinct())
        {
            changed[id] = logits[id] < 0 ? logits[id] * options.RepetitionPenalty : logits[id] / options.RepetitionPenalty;
        }

        foreach (int id in options.LogitBias.Keys)
        {
            changed[id] += options.LogitBias[id];
        }

        return [.. changed.Select(logit => (float)logit)];
    }

    /// <summary>
    /// The probabilities of the tokens that are left, on a list that is normalized anew each time; among equals the
    /// smaller id is the more probable.
    /// </summary>
    public static Dictionary<int, double> Distribution(float[] logits, GenerationOptions options)
    {
        List<(int Id, double P)> left = Normalize(
            [.. logits.Select((logit, id) => (id, Math.Exp(((double)logit - logits.Max()) / options.Temperature)))]);
        left = [.. left.Where(token => token.P > 0).OrderByDescending(token => token.P).ThenBy(token => token.Id)];
        left = options.TopK is { } k ? Normalize(left.Take(k)) : left;
        if (options.TopP < 1)
        {
            int enough = 1;
            while (enough < left.Count && left.Take(enough).Sum(token => token.P) < options.TopP)
            {
                enough++;
            }

            left = Normalize(left.Take(enough));
        }

        return Normalize(left.Where(token => token.P >= options.MinP * left[0].P))
            .ToDictionary(token => token.Id, token => token.P);
    }

    /// <summary>Fails if draws do not follow a distribution of at most 10 tokens.</summary>
    public static void AssertFollows(Dictionary<int, double> expected, int[] counts)
    {
        double draws = counts.Sum();
        Assert.All(
            Enumerable.Range(0, counts.Length).Where(id => !expected.ContainsKey(id)), id => Assert.Equal(0, counts[id]));
        double chiSquare =
            expected.Sum(token => Math.Pow(counts[token.Key] - (draws * token.Value), 2) / (draws * token.Value));
        Assert.True(
            expected.Count == 1 || chiSquare < Largest(expected.Count - 1),
            $"chi-square {chiSquare} with {expected.Count - 1} degrees of freedom");
    }

    /// <summary>Limits that chi-square exceeds once in a thousand times, for 1 to 9 degrees of freedom.</summary>
    private static double Largest(int freedom) =>
        new[] { 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88 }[freedom - 1];

    private static List<(int Id, double P)> Normalize(IEnumerable<(int Id, double P)> tokens)
    {
        (int Id, double P)[] all = [.. tokens];
        double total = all.Sum(token => token.P);
        return [.. all.Select(token => (token.Id, token.P / total))];
    }
}
