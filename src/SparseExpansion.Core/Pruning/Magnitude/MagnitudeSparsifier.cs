using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Magnitude;

/// <summary>
/// Prunes the weights of smallest magnitude, by default over the whole layer. Looks
/// at no inputs: the baseline of every other pruner.
/// </summary>
public sealed class MagnitudeSparsifier : Sparsifier<TokenCountStatistic>, ISizedSparsifier
{
    /// <inheritdoc/>
    public override string Name => "magnitude";

    /// <remarks>One expert after the other: weight, scores and the copy that is pruned.</remarks>
    long ISizedSparsifier.BytesToPrune(long rows, long columns, int experts) => 3 * sizeof(float) * rows * columns;

    double ISizedSparsifier.WorkToPrune(long rows, long columns) => SolverSize.SelectionWork(rows, columns);

    /// <inheritdoc/>
    public override TokenCountStatistic CreateStatistic(LayerDescriptor layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new TokenCountStatistic(layer.InFeatures);
    }

    /// <inheritdoc/>
    protected override PrunedWeight PruneCore(
        Tensor weight, TokenCountStatistic statistic, SparsityTarget target, CancellationToken cancellationToken)
    {
        PruningGuard.CheckFeatures(Name, weight, statistic.InFeatures);
        Tensor scores = weight.to(ScalarType.Float32);
        Tensor mask = MaskSelection.Select(scores, target, SparsityScope.Layer);
        return new PrunedWeight(weight.masked_fill(mask, Scalars.Of(0)));
    }

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => Name;
}
