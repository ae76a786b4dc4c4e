using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// A running summary of the tokens that reach a linear layer. Sums only, so that the statistics of experts add up to
/// that of their layer, and those of machines to that of their cluster.
/// </summary>
public interface IActivationStatistic : IDisposable
{
    /// <summary>Tokens observed so far.</summary>
    long TokenCount { get; }

    /// <summary>Adds tokens to the summary.</summary>
    /// <param name="tokens">[tokens, in_features], any floating dtype, on the device
    /// of the statistic. Zero tokens are allowed.</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    void Observe(Tensor tokens);

    /// <summary>Adds all tokens that <paramref name="other"/> has observed.</summary>
    /// <exception cref="ArgumentException"><paramref name="other"/> is of another kind or size.</exception>
    void Merge(IActivationStatistic other);
}
