using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Wanda;

/// <summary>
/// Prunes the weights of smallest |w_ij| · ‖X_j‖₂, by default in every output row, and leaves the others as they
/// are. Sun, Liu, Bair and Kolter 2023 (arXiv 2306.11695).
/// </summary>
public sealed class WandaSparsifier : Sparsifier<ColumnNormStatistic>, ISizedSparsifier
{
    /// <inheritdoc/>
    public override string Name => "wanda";

    /// <remarks>One expert after the other: weight, scores and the copy that is pruned.</remarks>
    long ISizedSparsifier.BytesToPrune(long rows, long columns, int experts) => 3 * sizeof(float) * rows * columns;

    double ISizedSparsifier.WorkToPrune(long rows, long columns) => SolverSize.SelectionWork(rows, columns);

    /// <inheritdoc/>
    public override ColumnNormStatistic CreateStatistic(LayerDescriptor layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new ColumnNormStatistic(layer.InFeatures, layer.Device);
    }

    /// <inheritdoc/>
    /// <exception cref="CalibrationException">No token was observed, or a non-finite one was.</exception>
    protected override PrunedWeight PruneCore(
        Tensor weight, ColumnNormStatistic statistic, SparsityTarget target, CancellationToken cancellationToken)
    {
        PruningGuard.CheckFeatures(Name, weight, statistic.InFeatures);
        statistic.ThrowIfUnusable();
        return new PrunedWeight(WandaScore.Prune(weight, statistic.SquaredNorms, target));
    }

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => Name;
}
