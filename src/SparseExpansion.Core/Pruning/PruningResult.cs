using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>A pruned weight and what was measured of it. Disposing it disposes the weight.</summary>
public sealed class PruningResult : IDisposable
{
    private PruningResult(Tensor weight, double sparsity, double? relativeOutputError, DampingRung? dampingRung, long tokenCount)
    {
        Weight = weight;
        Sparsity = sparsity;
        RelativeOutputError = relativeOutputError;
        DampingRung = dampingRung;
        TokenCount = tokenCount;
    }

    /// <summary>[out_features, in_features], dtype and device of the dense weight; pruned weights are exactly zero.</summary>
    public Tensor Weight { get; }

    /// <summary>Share of weights that are exactly zero.</summary>
    public double Sparsity { get; }

    /// <summary>‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over the observed tokens X; null where the statistic cannot tell (see <see cref="IOutputErrorStatistic"/>).</summary>
    public double? RelativeOutputError { get; }

    /// <summary>The rung of the damping ladder that was reached; null for pruners without damping.</summary>
    public DampingRung? DampingRung { get; }

    /// <summary>Tokens that the statistic had observed.</summary>
    public long TokenCount { get; }

    /// <summary>Measures a pruned weight and moves it out of the current dispose scope.</summary>
    internal static PruningResult Measure(Tensor dense, PrunedWeight pruned, IActivationStatistic statistic)
    {
        using var scope = NewDisposeScope();
        Tensor weight = pruned.Weight.to(dense.dtype);
        if (weight.Handle == dense.Handle)
        {
            weight = weight.clone();
        }

        double zeros = weight.numel() - weight.count_nonzero().item<long>();
        double? error = (statistic as IOutputErrorStatistic)?.RelativeOutputError(dense, weight);
        return new PruningResult(
            weight.DetachFromDisposeScope(), weight.numel() == 0 ? 0 : zeros / weight.numel(), error, pruned.DampingRung, statistic.TokenCount);
    }

    /// <inheritdoc/>
    public void Dispose() => Weight.Dispose();
}
