namespace SparseExpansion.Models.Generation;

/// <summary>The tokens that one is drawn from.</summary>
/// <param name="Ids">Their ids, at least one.</param>
/// <param name="Weights">Their unnormalized probabilities, larger than 0.</param>
internal sealed record TokenDistribution(int[] Ids, double[] Weights)
{
    /// <summary>The probability of each id.</summary>
    public double[] Probabilities()
    {
        double total = Weights.Sum();
        return [.. Weights.Select(weight => weight / total)];
    }

    /// <summary>The token at a place of the cumulative distribution.</summary>
    /// <param name="uniform">A random number in [0, 1).</param>
    public int At(double uniform)
    {
        double left = uniform * Weights.Sum();
        int i = 0;
        while (i < Ids.Length - 1 && (left -= Weights[i]) >= 0)
        {
            i++;
        }

        return Ids[i];
    }
}
