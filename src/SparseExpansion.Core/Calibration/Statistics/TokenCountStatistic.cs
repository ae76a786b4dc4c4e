using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>The statistic of pruners that look at no inputs: it counts tokens and holds no tensor.</summary>
/// <remarks>Not safe for concurrent use.</remarks>
public sealed class TokenCountStatistic : ISizedStatistic
{
    /// <summary>Creates the statistic of no tokens.</summary>
    /// <param name="inFeatures">Width of a token.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="inFeatures"/> is below 1.</exception>
    public TokenCountStatistic(int inFeatures)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inFeatures, 1);
        InFeatures = inFeatures;
    }

    /// <summary>Width of a token.</summary>
    public int InFeatures { get; }

    /// <inheritdoc/>
    public long TokenCount { get; private set; }

    long ISizedStatistic.BytesFor(long features) => features * sizeof(double);

    double ISizedStatistic.WorkToObserve(long tokens, long features) => 2.0 * tokens * features;

    /// <inheritdoc/>
    public void Observe(Tensor tokens)
    {
        StatisticChecks.CheckTokens(tokens, InFeatures);
        TokenCount += tokens.shape[0];
    }

    /// <inheritdoc/>
    public void Merge(IActivationStatistic other) =>
        TokenCount += StatisticChecks.CheckOther(this, other, statistic => statistic.InFeatures).TokenCount;

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held: the interface asks for it because other statistics own device memory.
    }
}
