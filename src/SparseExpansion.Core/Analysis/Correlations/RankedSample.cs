namespace SparseExpansion.Analysis.Correlations;

/// <summary>
/// A measure sorted once, so that the mean ranks of any bootstrap resample follow from the multiplicities of the
/// neurons in one walk, without sorting again.
/// </summary>
internal sealed class RankedSample
{
    private readonly int[] _order;
    private readonly int[] _groupEnds;

    public RankedSample(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values];
        _order = [.. Enumerable.Range(0, sorted.Length)];
        Array.Sort(sorted, _order);
        _groupEnds = [.. Enumerable.Range(1, sorted.Length)
            .Where(i => i == sorted.Length || sorted[i] != sorted[i - 1])];
    }

    /// <summary>Deviations from the middle rank of every value, where value i occurs counts[i] times.</summary>
    /// <param name="counts">Multiplicities; they add up to <paramref name="total"/>.</param>
    /// <param name="total">Size of the resample.</param>
    /// <param name="deviations">Written: mean rank minus (total + 1) / 2.</param>
    /// <returns>Σ counts · deviation².</returns>
    public double Rank(ReadOnlySpan<int> counts, int total, Span<double> deviations)
    {
        double squares = 0;
        long before = 0;
        int start = 0;
        foreach (int end in _groupEnds)
        {
            long size = 0;
            for (int i = start; i < end; i++)
            {
                size += counts[_order[i]];
            }

            double deviation = before + ((size - total) / 2.0);
            for (int i = start; i < end; i++)
            {
                deviations[_order[i]] = deviation;
            }

            squares += size * deviation * deviation;
            before += size;
            start = end;
        }

        return squares;
    }
}
