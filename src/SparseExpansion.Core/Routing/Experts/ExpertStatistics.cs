using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Experts;

/// <summary>One input statistic for each expert of an input group. Disposing it disposes them.</summary>
internal sealed class ExpertStatistics : IDisposable
{
    private readonly Func<IActivationStatistic> _create;
    private readonly IActivationStatistic[] _experts;

    private ExpertStatistics(Func<IActivationStatistic> create, int experts)
    {
        _create = create;
        _experts = [.. Enumerable.Range(0, experts).Select(_ => create())];
    }

    /// <summary>The statistics, one for each expert.</summary>
    public IReadOnlyList<IActivationStatistic> Experts => _experts;

    /// <summary>
    /// Statistics that pruners can work with: those of <see cref="Observe"/>, completed by
    /// <see cref="Complete(double)"/>.
    /// </summary>
    /// <param name="create">Makes the pruner's empty statistic.</param>
    /// <param name="tokens">The tokens, expert by expert.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <param name="priorTokens">Strength of the shrinkage toward the group, in tokens.</param>
    public static ExpertStatistics Gather(
        Func<IActivationStatistic> create, ExpertTokens tokens, CancellationToken cancellationToken,
        double priorTokens = 0)
    {
        ExpertStatistics statistics = Observe(create, tokens, cancellationToken);
        try
        {
            statistics.Complete(priorTokens);
            return statistics;
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
    }

    /// <summary>The plain sums over every expert's own tokens.</summary>
    /// <param name="create">Makes an empty statistic.</param>
    /// <param name="tokens">The tokens, expert by expert.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <param name="first">First expert that is wanted.</param>
    /// <param name="count">Number of experts wanted; null: all from the first on.</param>
    public static ExpertStatistics Observe(
        Func<IActivationStatistic> create, ExpertTokens tokens, CancellationToken cancellationToken, int first = 0,
        int? count = null)
    {
        var statistics = new ExpertStatistics(create, count ?? tokens.ExpertCount - first);
        try
        {
            tokens.Visit(
                (expert, share) => StatisticChecks.Observe(statistics._experts[expert - first], share),
                cancellationToken, first, count);
            return statistics;
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
    }

    /// <summary>The statistic of all tokens of a source; the caller disposes it.</summary>
    public static IActivationStatistic ObserveAll(
        Func<IActivationStatistic> create, ITokenSource tokens, int chunkTokens, Device device,
        CancellationToken cancellationToken)
    {
        IActivationStatistic statistic = create();
        try
        {
            foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
            {
                using (chunk)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    StatisticChecks.Observe(statistic, chunk);
                }
            }

            return statistic;
        }
        catch
        {
            statistic.Dispose();
            throw;
        }
    }

    /// <summary>Copies of the statistics.</summary>
    public ExpertStatistics Copy()
    {
        var copy = new ExpertStatistics(_create, _experts.Length);
        for (int e = 0; e < _experts.Length; e++)
        {
            StatisticChecks.Merge(copy._experts[e], _experts[e]);
        }

        return copy;
    }

    /// <summary>
    /// Lends what experts have not seen, in place: an expert without tokens gets the statistic of the whole group, one
    /// with tokens leans on it by <paramref name="priorTokens"/>, and features that an expert has not seen borrow from
    /// it: that they were not seen does not mean that they vanish.
    /// </summary>
    /// <param name="priorTokens">Strength of the shrinkage toward the group, in tokens; see
    /// <see cref="IShrinkable"/>.</param>
    public void Complete(double priorTokens = 0)
    {
        if (_experts.Length == 1)
        {
            return;
        }

        using IActivationStatistic whole = _create();
        MergeInto(whole);
        Complete(whole, priorTokens);
    }

    /// <summary>Adds the experts' observations to the statistic of the whole group.</summary>
    public void MergeInto(IActivationStatistic whole) =>
        Array.ForEach(_experts, expert => StatisticChecks.Merge(whole, expert));

    /// <inheritdoc cref="Complete(double)"/>
    /// <param name="whole">The statistic of the whole group, where these are some of its experts.</param>
    /// <param name="priorTokens">Strength of the shrinkage toward the group.</param>
    public void Complete(IActivationStatistic whole, double priorTokens)
    {
        foreach (IActivationStatistic expert in _experts)
        {
            if (expert.TokenCount == 0)
            {
                StatisticChecks.Merge(expert, whole);
            }
            else if (priorTokens > 0)
            {
                (expert as IShrinkable)?.ShrinkTowards(whole, priorTokens);
            }

            (expert as IUnseenFeatures)?.FillUnseen(whole);
        }
    }

    /// <summary>Frees the statistics.</summary>
    public void Dispose() => Array.ForEach(_experts, expert => expert.Dispose());
}
