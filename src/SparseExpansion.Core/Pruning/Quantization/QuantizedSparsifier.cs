using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Quantization;

/// <summary>A pruner followed by the rounding of the kept weights.</summary>
internal sealed class QuantizedSparsifier : IRoundingSparsifier, ISizedSparsifier
{
    private readonly ISparsifier _inner;
    private readonly WeightQuantization _quantization;

    public QuantizedSparsifier(ISparsifier inner, WeightQuantization quantization)
    {
        ArgumentNullException.ThrowIfNull(inner);
        quantization.Validate();
        _inner = inner;
        _quantization = quantization;
    }

    public string Name => $"{_inner.Name}+{_quantization.Bits}bit";

    public bool RoundsWeights => true;

    /// <remarks>
    /// The inner pruner's workspace is gone when rounding begins, which wants a damped Hessian, its factor and a few
    /// copies of the weight.
    /// </remarks>
    public long BytesToPrune(long rows, long columns, int experts) => Math.Max(
        PrunerSize.Bytes(_inner, rows, columns, experts),
        sizeof(float) * ((6 * columns * columns) + (4 * rows * columns)));

    /// <remarks>Rounding updates later weights as SparseGPT does.</remarks>
    public double WorkToPrune(long rows, long columns) =>
        PrunerSize.Work(_inner, rows, columns) + SolverSize.Work(rows, columns);

    public IActivationStatistic CreateStatistic(LayerDescriptor layer) => PruningChecks.CreateStatistic(_inner, layer);

    public PruningResult Prune(
        Tensor weight, IActivationStatistic statistic, SparsityTarget target,
        CancellationToken cancellationToken = default)
    {
        using PruningResult pruned = PrunerCalls.Prune(_inner, weight, statistic, target, cancellationToken);
        return Quantize(weight, pruned, statistic, cancellationToken);
    }

    public IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken = default) =>
        TargetGroups.Run(
            statistics, targets, (together, target) => PruneTogether(weight, together, target, cancellationToken));

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{_inner} + {_quantization}";

    private IReadOnlyList<PruningResult> PruneTogether(
        Tensor weight, IActivationStatistic[] statistics, SparsityTarget target, CancellationToken cancellationToken)
    {
        IReadOnlyList<PruningResult> pruned = PrunerCalls.PruneExperts(
            _inner, weight, statistics, target, cancellationToken);
        try
        {
            return ExpertSeries.Run(
                pruned.Count, expert => Quantize(weight, pruned[expert], statistics[expert], cancellationToken));
        }
        finally
        {
            pruned.DisposeAll();
        }
    }

    private PruningResult Quantize(
        Tensor weight, PruningResult pruned, IActivationStatistic statistic, CancellationToken cancellationToken)
    {
        if (pruned.Grid is not null)
        {
            throw new PruningException(QuantizationExtensions.Rounds(_inner));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        (Tensor rounded, QuantizationGrid grid) = HessianOf(statistic) is { } hessian
            ? MaskedQuantizer.Quantize(pruned.Weight, hessian, _quantization, cancellationToken)
            : MaskedQuantizer.ToNearest(pruned.Weight, _quantization);
        return PruningResult.Measure(
            weight.detach(), new PrunedWeight(rounded) { Diagnostics = pruned.Diagnostics, Grid = grid }, statistic,
            CustomPart.Describe(Name, this), null);
    }

    private static Tensor? HessianOf(IActivationStatistic statistic) => statistic switch
    {
        HessianStatistic hessian => hessian.Hessian,
        RefitStatistic both => both.Hessian.Hessian,
        _ => null,
    };
}
