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

    /// <summary>Splits a statistic into that of the inner pruner and the Hessian for the refit.</summary>
    /// <param name="pruner">Name of the refitting pruner.</param>
    /// <param name="statistic">What it was given.</param>
    /// <exception cref="PruningException">There is no Hessian in it.</exception>
    public static (IActivationStatistic Inner, HessianStatistic Hessian) Split(
        string pruner, IActivationStatistic statistic)
    {
        ArgumentNullException.ThrowIfNull(statistic);
        return statistic switch
        {
            HessianStatistic hessian => (hessian, hessian),
            RefitStatistic both => (both.Inner, both.Hessian),
            _ => throw new PruningException(
                $"Pruner '{pruner}' needs a Hessian, but was given a {statistic.GetType().Name}; "
                + $"create the statistic with {pruner}'s CreateStatistic."),
        };
    }

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
