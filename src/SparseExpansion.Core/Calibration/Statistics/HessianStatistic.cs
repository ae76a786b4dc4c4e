using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// H = Σ x xᵀ over the observed tokens x: all that the output error of a linear layer depends on. A sum, not a mean, so
/// that statistics add up.
/// </summary>
/// <remarks>
/// Costs in_features² floats and in_features² multiplications a token; linears that read the same tensor share one. Not
/// safe for concurrent use.
/// </remarks>
public sealed class HessianStatistic : ISharedOutputError, IUnseenFeatures, IShrinkable, ISizedStatistic, IChecksummed
{
    /// <summary>
    /// Features that only <see cref="FillUnseen"/> gave energy to, bool [in_features]; null where there are none.
    /// </summary>
    private Tensor? _borrowed;

    /// <summary>Creates the statistic of no tokens.</summary>
    /// <param name="inFeatures">Width of a token.</param>
    /// <param name="device">Device on which the Hessian is gathered, the one of the weight.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="inFeatures"/> is below 1.</exception>
    public HessianStatistic(int inFeatures, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inFeatures, 1);
        ArgumentNullException.ThrowIfNull(device);
        InFeatures = inFeatures;
        Hessian = zeros(inFeatures, inFeatures, ScalarType.Float32, device).DetachFromDisposeScope();
    }

    /// <summary>Width of a token.</summary>
    public int InFeatures { get; }

    /// <inheritdoc/>
    public long TokenCount { get; private set; }

    /// <summary>Σ x xᵀ, [in_features, in_features], float32: the live buffer, owned by the statistic.</summary>
    public Tensor Hessian { get; }

    /// <summary>
    /// Σ x_j², [in_features], float32: a view of the diagonal of <see cref="Hessian"/> that the caller disposes.
    /// </summary>
    public Tensor Diagonal() => Hessian.diagonal();

    long ISizedStatistic.BytesFor(long features) => StatisticSize.HessianBytes(features);

    double ISizedStatistic.WorkToObserve(long tokens, long features) => StatisticSize.HessianWork(tokens, features);

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
        Tensor values = tokens.detach().to(ScalarType.Float32);
        Hessian.addmm_(values.t(), values);
        ForgetBorrowed();
        TokenCount += tokens.shape[0];
    }

    /// <inheritdoc/>
    public void Merge(IActivationStatistic other)
    {
        HessianStatistic typed = StatisticChecks.CheckOther(this, other, statistic => statistic.InFeatures);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Hessian.PlusInPlace(typed.Hessian.to(Hessian.device));
        ForgetBorrowed();
        TokenCount += typed.TokenCount;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// H_jj of the layer goes onto the diagonal, with no correlation to other features, so that H stays positive
    /// semi-definite.
    /// </remarks>
    public void FillUnseen(IActivationStatistic layer)
    {
        HessianStatistic typed = StatisticChecks.CheckOther(this, layer, statistic => statistic.InFeatures);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor unseen = Diagonal().eq(Scalars.Of(0));
        StatisticSums.FillUnseen(Diagonal(), TokenCount, typed.Diagonal(), typed.TokenCount);
        Tensor borrowed = unseen.logical_and(Diagonal().ne(Scalars.Of(0)));
        borrowed = _borrowed is null ? borrowed : borrowed.logical_or(_borrowed); // What was filled before is not unseen.
        ForgetBorrowed();
        _borrowed = borrowed.any().item<bool>() ? borrowed.DetachFromDisposeScope() : null;
    }

    /// <inheritdoc/>
    public void ShrinkTowards(IActivationStatistic layer, double priorTokens)
    {
        HessianStatistic typed = StatisticChecks.CheckOther(this, layer, statistic => statistic.InFeatures);
        StatisticSums.Shrink(Hessian, TokenCount, typed.Hessian, typed.TokenCount, priorTokens);
    }

    /// <summary>
    /// Refuses a statistic that no pruner can work with. Pruners call it before they read the Hessian.
    /// </summary>
    /// <exception cref="CalibrationException">No token was observed, or a NaN, infinite or overflowing activation
    /// was.</exception>
    public void ThrowIfUnusable()
    {
        using Tensor diagonal = Diagonal();
        StatisticChecks.CheckUsable(TokenCount, diagonal);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// tr(ΔHΔᵀ) / tr(WHWᵀ) with Δ = W − P, in float32 products and float64 sums. What was borrowed by
    /// <see cref="FillUnseen"/> does not count: it is not part of the tokens.
    /// </remarks>
    public double RelativeOutputError(Tensor dense, Tensor changed) =>
        RelativeOutputError(dense, changed, weight => QuadraticForm.Trace(weight, Hessian));

    /// <remarks>tr(WHWᵀ) = ⟨WᵀW, H⟩: no product for the dense weight.</remarks>
    double ISharedOutputError.RelativeOutputError(Tensor dense, Tensor gram, Tensor changed) =>
        RelativeOutputError(
            dense, changed,
            weight => _borrowed is null ? QuadraticForm.Inner(gram, Hessian) : QuadraticForm.Trace(weight, Hessian));

    private double RelativeOutputError(Tensor dense, Tensor changed, Func<Tensor, double> energy)
    {
        CheckWeight(dense, nameof(dense));
        CheckWeight(changed, nameof(changed));
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = WithoutBorrowed(dense.detach().to(ScalarType.Float32));
        Tensor difference = weight - WithoutBorrowed(changed.detach().to(ScalarType.Float32));
        double error = QuadraticForm.Trace(difference, Hessian);
        if (error == 0)
        {
            return 0;
        }

        return error / energy(weight);
    }

    double IChecksummed.Checksum() => StatisticSums.Checksum(Hessian);

    /// <summary>Gives the Hessian's memory back.</summary>
    public void Dispose()
    {
        Hessian.Dispose();
        ForgetBorrowed();
    }

    /// <summary>
    /// Borrowed features have no correlation to others, so that a weight without their columns has no part of theirs.
    /// </summary>
    private Tensor WithoutBorrowed(Tensor weight) =>
        _borrowed is null ? weight : weight.masked_fill(_borrowed, Scalars.Of(0));

    private void ForgetBorrowed()
    {
        _borrowed?.Dispose();
        _borrowed = null;
    }

    private void CheckWeight(Tensor weight, string name)
    {
        ArgumentNullException.ThrowIfNull(weight, name);
        if (weight.dim() != 2 || weight.shape[1] != InFeatures)
        {
            throw new ArgumentException(
                $"A weight must be [out_features, {InFeatures}], got [{string.Join(", ", weight.shape)}].", name);
        }
    }
}
