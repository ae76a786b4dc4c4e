namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// A statistic that can borrow from its layer what its expert has not seen: a feature that no token of one cluster used
/// is not dead, only unseen.
/// </summary>
public interface IUnseenFeatures : IActivationStatistic
{
    /// <summary>
    /// Gives every feature without energy the layer's energy, scaled to this statistic's token count.
    /// </summary>
    /// <param name="layer">The statistic of all tokens of the layer, of the same kind and size.</param>
    /// <exception cref="ArgumentException"><paramref name="layer"/> is of another kind or size.</exception>
    void FillUnseen(IActivationStatistic layer);
}
