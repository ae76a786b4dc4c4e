using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>A pruned weight and its measures. Disposing it disposes the weight and its grid.</summary>
public sealed class PruningResult : IDisposable
{
    private PruningResult(
        Tensor weight, double sparsity, double? relativeOutputError, PrunedWeight pruned, long tokenCount)
    {
        Weight = weight;
        Sparsity = sparsity;
        RelativeOutputError = relativeOutputError;
        Diagnostics = pruned.Diagnostics;
        Grid = pruned.Grid;
        TokenCount = tokenCount;
    }

    /// <summary>
    /// [out_features, in_features], dtype and device of the dense weight; pruned weights are exactly zero.
    /// </summary>
    public Tensor Weight { get; }

    /// <summary>Share of weights that are exactly zero.</summary>
    public double Sparsity { get; }

    /// <summary>
    /// ‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over the observed tokens X; null where the statistic cannot tell (see
    /// <see cref="IOutputErrorStatistic"/>).
    /// </summary>
    public double? RelativeOutputError { get; }

    /// <summary>
    /// The pruner's reports on its work, inner pruners first: the end of the damping ladder, the convergence of an
    /// iteration, the rows of a refit.
    /// </summary>
    public IReadOnlyList<PruningDiagnostic> Diagnostics { get; }

    /// <summary>
    /// The grid that the kept weights lie on; null for weights of full precision. Belongs to the result.
    /// </summary>
    public QuantizationGrid? Grid { get; }

    /// <summary>Tokens that the statistic had observed.</summary>
    public long TokenCount { get; }

    /// <summary>Checks and measures a pruned weight and moves it out of the current dispose scope.</summary>
    /// <param name="dense">W, [out_features, in_features].</param>
    /// <param name="pruned">The pruned weight.</param>
    /// <param name="statistic">The statistic that it was pruned by.</param>
    /// <param name="pruner">Name and class of the pruner, for messages.</param>
    /// <param name="target">The target of the pruner; null where the mask is not its own.</param>
    /// <param name="gram">WᵀW where several weights are measured, see <see cref="Gram"/>.</param>
    /// <exception cref="PruningException">The weight is not one that the target allows.</exception>
    internal static PruningResult Measure(
        Tensor dense, PrunedWeight pruned, IActivationStatistic statistic, string pruner, SparsityTarget? target,
        Tensor? gram = null)
    {
        using var scope = NewDisposeScope();
        Tensor weight = PruningChecks.CheckForm(pruner, dense, pruned).Weight.to(dense.dtype);
        if (weight.Handle == dense.Handle)
        {
            weight = weight.clone();
        }

        if (pruned.Grid is { } grid && (grid.Scales.shape[0] != weight.shape[0] || grid.Columns != weight.shape[1]))
        {
            throw new PruningException(
                $"Pruner {pruner} returned a grid for [{grid.Scales.shape[0]}, "
                + $"{grid.Columns}] with a weight [{string.Join(", ", weight.shape)}].");
        }

        long zeros = weight.numel() - weight.count_nonzero().item<long>();
        PruningChecks.CheckValues(pruner, weight, zeros, target, pruned.MayKeepMore);
        double? error = PruningChecks.CheckError(statistic, OutputError(dense, weight, statistic, gram));
        return new PruningResult(
            weight.DetachFromDisposeScope(), weight.numel() == 0 ? 0 : (double)zeros / weight.numel(), error, pruned,
            statistic.TokenCount);
    }

    /// <summary>A custom statistic measures copies: it may work in place.</summary>
    private static double? OutputError(
        Tensor dense, Tensor weight, IActivationStatistic statistic, Tensor? gram) =>
        statistic switch
        {
            ISharedOutputError shared when gram is not null => shared.RelativeOutputError(dense, gram, weight),
            IOutputErrorStatistic own when CustomPart.Is(own) => own.RelativeOutputError(dense.clone(), weight.clone()),
            IOutputErrorStatistic output => output.RelativeOutputError(dense, weight),
            _ => null,
        };

    /// <summary>WᵀW where it makes measuring cheaper: with more than one expert. Null otherwise.</summary>
    internal static Tensor? Gram(Tensor dense, IReadOnlyList<IActivationStatistic> statistics)
    {
        if (statistics.Count < 2 || statistics[0] is not ISharedOutputError)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        Tensor weight = dense.detach().to(ScalarType.Float32);
        return weight.t().matmul(weight).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Weight.Dispose();
        Grid?.Dispose();
    }
}
