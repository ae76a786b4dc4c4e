using SparseExpansion.Calibration;
using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion;

/// <summary>One input statistic for each expert of an input group.</summary>
internal static class ExpertStatistics
{
    /// <summary>
    /// Gathers the statistics. An expert without tokens gets those of the whole group: that it was not seen does not
    /// mean that its inputs vanish.
    /// </summary>
    /// <returns>One statistic for each expert; the caller disposes them.</returns>
    public static IReadOnlyList<IActivationStatistic> Gather(
        ISparsifier sparsifier, LayerDescriptor layer, ExpertTokens tokens, CancellationToken cancellationToken)
    {
        IActivationStatistic[] statistics = [.. Enumerable.Range(0, tokens.ExpertCount).Select(_ => sparsifier.CreateStatistic(layer))];
        try
        {
            tokens.Visit((expert, share) => statistics[expert].Observe(share), cancellationToken);
            FillEmpty(statistics, tokens);
            return statistics;
        }
        catch
        {
            Array.ForEach(statistics, statistic => statistic.Dispose());
            throw;
        }
    }

    private static void FillEmpty(IActivationStatistic[] statistics, ExpertTokens tokens)
    {
        int[] seen = [.. Enumerable.Range(0, statistics.Length).Where(e => tokens.Count(e) > 0)];
        foreach (int empty in Enumerable.Range(0, statistics.Length).Except(seen))
        {
            foreach (int other in seen)
            {
                statistics[empty].Merge(statistics[other]);
            }
        }
    }
}
