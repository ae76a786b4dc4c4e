using SparseExpansion.Internal;

namespace SparseExpansion.Analysis.Correlations;

/// <summary>Rank correlations of every pair of samples, on all neurons or on resamples of them.</summary>
internal static class PairCorrelations
{
    /// <summary>All pairs of samples, in the order of the coefficients.</summary>
    public static IEnumerable<(int First, int Second)> Pairs(int count) =>
        from first in Enumerable.Range(0, count)
        from second in Enumerable.Range(first + 1, count - first - 1)
        select (first, second);

    /// <summary>The coefficients of every resample of the neurons.</summary>
    public static double[][] Bootstrap(RankedSample[] samples, int neurons, RankCorrelationOptions options)
    {
        // Each resample has a seed of its own, so that results do not depend on the number of threads.
        Random seeds = SeededRandom.Create(options.Seed);
        int[] drawn = [.. Enumerable.Range(0, options.Resamples).Select(_ => seeds.Next())];
        var coefficients = new double[options.Resamples][];
        Parallel.For(0, options.Resamples, resample =>
        {
            Random random = SeededRandom.Create(drawn[resample]);
            var counts = new int[neurons];
            for (int i = 0; i < neurons; i++)
            {
                counts[random.Next(neurons)]++;
            }

            coefficients[resample] = Coefficients(samples, counts);
        });
        return coefficients;
    }

    /// <summary>Pearson's correlation of mean ranks for every pair, where neuron i occurs counts[i] times.</summary>
    public static double[] Coefficients(RankedSample[] samples, int[] counts)
    {
        var deviations = new double[samples.Length][];
        var squares = new double[samples.Length];
        for (int s = 0; s < samples.Length; s++)
        {
            deviations[s] = new double[counts.Length];
            squares[s] = samples[s].Rank(counts, counts.Length, deviations[s]);
        }

        return [.. Pairs(samples.Length).Select(pair =>
        {
            double product = 0;
            for (int i = 0; i < counts.Length; i++)
            {
                product += counts[i] * deviations[pair.First][i] * deviations[pair.Second][i];
            }

            return product / Math.Sqrt(squares[pair.First] * squares[pair.Second]);
        })];
    }
}
