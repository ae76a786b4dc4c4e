using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary>A pruner followed by the exact least squares on its supports.</summary>
internal sealed class RefitSparsifier : ISizedSparsifier
{
    private readonly ISparsifier _inner;
    private readonly RefitOptions _options;

    public RefitSparsifier(ISparsifier inner, RefitOptions? options)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _inner = inner;
        _options = options ?? new RefitOptions();
        _options.Validate();
    }

    public string Name => $"{_inner.Name}+refit";

    /// <remarks>
    /// The inner pruner's workspace is gone when the refit begins; <see cref="RefitOptions.ChunkBytes"/> bounds the
    /// systems, not their factors.
    /// </remarks>
    public long BytesToPrune(long rows, long columns, int experts) => Math.Max(
        PrunerSize.Bytes(_inner, rows, columns, experts), RefitBytes(rows, columns));

    /// <remarks>Least squares for each row of its own.</remarks>
    public double WorkToPrune(long rows, long columns) =>
        PrunerSize.Work(_inner, rows, columns) + (3 * SolverSize.Work(rows, columns));

    public IActivationStatistic CreateStatistic(LayerDescriptor layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        IActivationStatistic statistic = PruningChecks.CreateStatistic(_inner, layer);
        return statistic is HessianStatistic or RefitStatistic
            ? statistic
            : new RefitStatistic(statistic, new HessianStatistic(layer.InFeatures, layer.Device));
    }

    public PruningResult Prune(
        Tensor weight, IActivationStatistic statistic, SparsityTarget target,
        CancellationToken cancellationToken = default)
    {
        (IActivationStatistic inner, HessianStatistic hessian) = RefitStatistic.Split(Name, statistic);
        PruningGuard.CheckWeight(Name, weight, target);
        PruningGuard.CheckHessians(Name, weight, [hessian]);
        using PruningResult pruned = PrunerCalls.Prune(_inner, weight, inner, target, cancellationToken);
        return Refit(weight, pruned, hessian, null, cancellationToken);
    }

    public IReadOnlyList<PruningResult> PruneExperts(
        Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken = default) =>
        TargetGroups.Run(
            statistics, targets, (together, target) => PruneTogether(weight, together, target, cancellationToken));

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{_inner} + {_options}";

    /// <summary>
    /// The systems of a chunk, at least of one row, and their factors; the damped Hessian twice, supports as indices,
    /// and copies of the weight.
    /// </summary>
    private long RefitBytes(long rows, long columns)
    {
        long systems = Math.Max(_options.ChunkBytes, 2 * sizeof(double) * columns * columns);
        return (2 * Math.Min(systems, 2 * sizeof(double) * rows * columns * columns))
            + (sizeof(float) * ((2 * columns * columns) + (4 * rows * columns))) + (2 * sizeof(long) * rows * columns);
    }

    private IReadOnlyList<PruningResult> PruneTogether(
        Tensor weight, IActivationStatistic[] statistics, SparsityTarget target, CancellationToken cancellationToken)
    {
        (IActivationStatistic Inner, HessianStatistic Hessian)[] parts = [.. statistics.Select(statistic => RefitStatistic.Split(Name, statistic))];
        PruningGuard.CheckWeight(Name, weight, target);
        PruningGuard.CheckHessians(Name, weight, [.. parts.Select(part => part.Hessian)]);
        IReadOnlyList<PruningResult> pruned = PrunerCalls.PruneExperts(
            _inner, weight, [.. parts.Select(part => part.Inner)], target, cancellationToken);
        try
        {
            using Tensor? gram = PruningResult.Gram(weight, [.. parts.Select(part => part.Hessian)]);
            return ExpertSeries.Run(
                pruned.Count, expert => Refit(weight, pruned[expert], parts[expert].Hessian, gram, cancellationToken));
        }
        finally
        {
            pruned.DisposeAll();
        }
    }

    private PruningResult Refit(
        Tensor weight, PruningResult pruned, HessianStatistic hessian, Tensor? gram,
        CancellationToken cancellationToken)
    {
        if (pruned.Grid is not null)
        {
            throw new PruningException(RefitExtensions.Rounds(_inner));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor dense = weight.detach();
        (Tensor refitted, RefitReport report) = MaskedLeastSquares.Refit(
            dense, pruned.Weight, hessian.Hessian, _options, cancellationToken);
        return PruningResult.Measure(
            dense, new PrunedWeight(refitted) { Diagnostics = [.. pruned.Diagnostics, report] }, hessian,
            CustomPart.Describe(Name, this), null, gram);
    }
}
