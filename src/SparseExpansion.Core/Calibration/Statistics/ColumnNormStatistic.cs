using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// Σ x_j² for every input feature j over the observed tokens: what Wanda needs, at the cost of one vector.
/// </summary>
/// <remarks>Not safe for concurrent use.</remarks>
public sealed class ColumnNormStatistic : IUnseenFeatures, IShrinkable, ISizedStatistic, IChecksummed
{
    /// <summary>Creates the statistic of no tokens.</summary>
    /// <param name="inFeatures">Width of a token.</param>
    /// <param name="device">Device on which the norms are gathered, the one of the weight.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="inFeatures"/> is below 1.</exception>
    public ColumnNormStatistic(int inFeatures, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inFeatures, 1);
        ArgumentNullException.ThrowIfNull(device);
        InFeatures = inFeatures;
        SquaredNorms = zeros(inFeatures, ScalarType.Float64, device).DetachFromDisposeScope();
    }

    /// <summary>Width of a token.</summary>
    public int InFeatures { get; }

    /// <inheritdoc/>
    public long TokenCount { get; private set; }

    /// <summary>Σ x_j², [in_features], float64: the live buffer, owned by the statistic.</summary>
    public Tensor SquaredNorms { get; }

    long ISizedStatistic.BytesFor(long features) => features * sizeof(double);

    double ISizedStatistic.WorkToObserve(long tokens, long features) => 2.0 * tokens * features;

    /// <inheritdoc/>
    public void Observe(Tensor tokens)
    {
        StatisticChecks.CheckTokens(tokens, InFeatures);
        if (tokens.shape[0] == 0)
        {
            return;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        SquaredNorms.PlusInPlace(tokens.detach().to(ScalarType.Float32).Squared().sum([0L], type: ScalarType.Float64));
        TokenCount += tokens.shape[0];
    }

    /// <inheritdoc/>
    public void Merge(IActivationStatistic other)
    {
        ColumnNormStatistic typed = StatisticChecks.CheckOther(this, other, statistic => statistic.InFeatures);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        SquaredNorms.PlusInPlace(typed.SquaredNorms.to(SquaredNorms.device));
        TokenCount += typed.TokenCount;
    }

    /// <inheritdoc/>
    public void FillUnseen(IActivationStatistic layer)
    {
        ColumnNormStatistic typed = StatisticChecks.CheckOther(this, layer, statistic => statistic.InFeatures);
        using var noGrad = no_grad();
        StatisticSums.FillUnseen(SquaredNorms, TokenCount, typed.SquaredNorms, typed.TokenCount);
    }

    /// <inheritdoc/>
    public void ShrinkTowards(IActivationStatistic layer, double priorTokens)
    {
        ColumnNormStatistic typed = StatisticChecks.CheckOther(this, layer, statistic => statistic.InFeatures);
        StatisticSums.Shrink(SquaredNorms, TokenCount, typed.SquaredNorms, typed.TokenCount, priorTokens);
    }

    /// <summary>Refuses a statistic that no pruner can work with. Pruners call it before they read the norms.</summary>
    /// <exception cref="CalibrationException">No token was observed, or a NaN,
    /// infinite or overflowing activation was.</exception>
    public void ThrowIfUnusable() => StatisticChecks.CheckUsable(TokenCount, SquaredNorms);

    double IChecksummed.Checksum() => StatisticSums.Checksum(SquaredNorms);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => SquaredNorms.Dispose();
}
