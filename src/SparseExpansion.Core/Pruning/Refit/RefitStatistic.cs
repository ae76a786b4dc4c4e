using SparseExpansion.Calibration.Statistics;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary>
/// The statistic that the inner pruner asks for, and the Hessian that the refit needs, over the same tokens.
/// </summary>
internal sealed class RefitStatistic(IActivationStatistic inner, HessianStatistic hessian)
    : ISharedOutputError, IUnseenFeatures, IShrinkable, ISizedStatistic, IChecksummed
{
    public IActivationStatistic Inner => inner;

    public HessianStatistic Hessian => hessian;

    public long TokenCount => hessian.TokenCount;

    public long BytesFor(long features) =>
        StatisticSize.Bytes(inner, features) + StatisticSize.Bytes(hessian, features);

    public double WorkToObserve(long tokens, long features) =>
        StatisticSize.Work(inner, tokens, features) + StatisticSize.Work(hessian, tokens, features);

    public void Observe(Tensor tokens)
    {
        StatisticChecks.Observe(inner, tokens);
        hessian.Observe(tokens);
    }

    public void Merge(IActivationStatistic other)
    {
        RefitStatistic typed = CheckOther(other);
        StatisticChecks.Merge(inner, typed.Inner);
        hessian.Merge(typed.Hessian);
    }

    public void FillUnseen(IActivationStatistic layer)
    {
        RefitStatistic typed = CheckOther(layer);
        (inner as IUnseenFeatures)?.FillUnseen(typed.Inner);
        hessian.FillUnseen(typed.Hessian);
    }

    public void ShrinkTowards(IActivationStatistic layer, double priorTokens)
    {
        RefitStatistic typed = CheckOther(layer);
        (inner as IShrinkable)?.ShrinkTowards(typed.Inner, priorTokens);
        hessian.ShrinkTowards(typed.Hessian, priorTokens);
    }

    public double RelativeOutputError(Tensor dense, Tensor changed) => hessian.RelativeOutputError(dense, changed);

    public double RelativeOutputError(Tensor dense, Tensor gram, Tensor changed) =>
        ((ISharedOutputError)hessian).RelativeOutputError(dense, gram, changed);

    public double Checksum() => ((IChecksummed)hessian).Checksum() + ((inner as IChecksummed)?.Checksum() ?? 0);

    public void Dispose()
    {
        inner.Dispose();
        hessian.Dispose();
    }

    private static RefitStatistic CheckOther(IActivationStatistic other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other as RefitStatistic
            ?? throw new ArgumentException(
                $"A {other.GetType().Name} cannot be merged into a {nameof(RefitStatistic)}.", nameof(other));
    }
}
