using System.Diagnostics;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>Two numbers of each round, and what follows from them.</summary>
/// <param name="Rounds">Ours and the peer's.</param>
internal sealed record Samples(IReadOnlyList<(double Ours, double Peer)> Rounds)
{
    /// <summary>Median of the ratios ours / peer within rounds.</summary>
    public double Ratio => Median(Ratios);

    public double MinRatio => Ratios.Min();

    public double MaxRatio => Ratios.Max();

    /// <summary>Median of our numbers.</summary>
    public double Ours => Median(Rounds.Select(round => round.Ours));

    /// <summary>Median of the peer's numbers.</summary>
    public double Peer => Median(Rounds.Select(round => round.Peer));

    private IEnumerable<double> Ratios => Rounds.Select(round => round.Ours / round.Peer);

    /// <summary>Asks both sides in every round, in random order, so that neither profits from being first.</summary>
    public static Samples Take(RoundLimit limit, Func<double> ours, Func<double> peer, Random random)
    {
        var taken = new List<(double, double)>();
        long start = Stopwatch.GetTimestamp();
        while (limit.Allows(taken.Count, Stopwatch.GetElapsedTime(start)))
        {
            if (random.Next(2) == 0)
            {
                double first = ours();
                taken.Add((first, peer()));
            }
            else
            {
                double first = peer();
                taken.Add((ours(), first));
            }
        }

        return new Samples(taken);
    }

    /// <summary>The middle one, or the mean of the middle two.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
