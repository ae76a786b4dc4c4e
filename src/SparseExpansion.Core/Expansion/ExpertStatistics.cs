using SparseExpansion.Calibration;
using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion;

/// <summary>One input statistic for each expert of an input group.</summary>
internal static class ExpertStatistics
{
    /// <summary>
    /// Gathers the statistics. An expert without tokens gets those of the whole group, and features that an expert has not
    /// seen borrow from it: that they were not seen does not mean that they vanish.
    /// </summary>
    /// <returns>One statistic for each expert; the caller disposes them.</returns>
    public static IReadOnlyList<IActivationStatistic> Gather(
        ISparsifier sparsifier, LayerDescriptor layer, ExpertTokens tokens, CancellationToken cancellationToken)
    {
        IActivationStatistic[] statistics = [.. Enumerable.Range(0, tokens.ExpertCount).Select(_ => sparsifier.CreateStatistic(layer))];
        try
        {
            tokens.Visit((expert, share) => statistics[expert].Observe(share), cancellationToken);
            if (statistics.Length > 1)
            {
                FillFromLayer(statistics, tokens, () => sparsifier.CreateStatistic(layer));
            }

            return statistics;
        }
        catch
        {
            Array.ForEach(statistics, statistic => statistic.Dispose());
            throw;
        }
    }

    private static void FillFromLayer(IActivationStatistic[] statistics, ExpertTokens tokens, Func<IActivationStatistic> create)
    {
        using IActivationStatistic whole = create();
        Array.ForEach(statistics, whole.Merge);
        for (int e = 0; e < statistics.Length; e++)
        {
            if (tokens.Count(e) == 0)
            {
                statistics[e].Merge(whole);
            }

            (statistics[e] as IUnseenFeatures)?.FillUnseen(whole);
        }
    }
}
