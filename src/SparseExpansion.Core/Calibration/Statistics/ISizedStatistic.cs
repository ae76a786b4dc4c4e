namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// A statistic that reports its memory beforehand, for memory plans. One that does not is counted as a
/// <see cref="HessianStatistic"/>.
/// </summary>
public interface ISizedStatistic : IActivationStatistic
{
    /// <summary>Bytes of one statistic of this kind, whatever the width of this one.</summary>
    /// <param name="features">Width of a token.</param>
    long BytesFor(long features);

    /// <summary>Floating-point operations to observe tokens, about.</summary>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="features">Width of a token.</param>
    double WorkToObserve(long tokens, long features);
}
