namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// A statistic that can lean on its layer where its expert has seen few tokens. An expansion that is asked to shrink
/// statistics of other kinds fails, but for those that know nothing of the inputs (<see cref="TokenCountStatistic"/>).
/// </summary>
public interface IShrinkable : IActivationStatistic
{
    /// <summary>
    /// Replaces the mean H_e / n_e over this statistic's tokens by (1 − a) H_e / n_e + a H / n with a = s / (s +
    /// n_e), scaled back to n_e tokens: as if <paramref name="priorTokens"/> tokens of the layer's kind had been seen
    /// before. The token count stays.
    /// </summary>
    /// <param name="layer">H and n, the statistic of all tokens of the layer, of the same kind and size.</param>
    /// <param name="priorTokens">s, finite and at least 0; 0 changes nothing.</param>
    /// <exception cref="ArgumentException"><paramref name="layer"/> is of another kind or
    /// size, or the strength is out of range.</exception>
    void ShrinkTowards(IActivationStatistic layer, double priorTokens);
}
