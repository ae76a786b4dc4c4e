using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Σ |x_j|: a statistic that the library does not have, and that tells its size.</summary>
internal sealed class AbsoluteSums(int features, long bytes = 0) : ISizedStatistic
{
    public Tensor Sums { get; } = zeros(features, ScalarType.Float64).DetachFromDisposeScope();

    public long TokenCount { get; private set; }

    public long BytesFor(long features) => bytes;

    public double WorkToObserve(long tokens, long features) => tokens * features;

    public void Observe(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Sums.PlusInPlace(tokens.abs().sum(0, type: ScalarType.Float64));
        TokenCount += tokens.shape[0];
    }

    public void Merge(IActivationStatistic other)
    {
        Sums.PlusInPlace(((AbsoluteSums)other).Sums);
        TokenCount += other.TokenCount;
    }

    public void Dispose() => Sums.Dispose();
}
