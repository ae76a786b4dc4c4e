using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace CustomPruner;

#region custom-pruner
/// <summary>
/// Prunes by relative importance and activations: a weight counts as its share of the row plus its share of the column,
/// times the root of its input's norm (Zhang et al. 2024). Weights of one output row compete.
/// </summary>
public sealed class RiaSparsifier : Sparsifier<ColumnNormStatistic>
{
    public override string Name => "ria";

    public override ColumnNormStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures, layer.Device);

    protected override PrunedWeight PruneCore(
        Tensor weight, ColumnNormStatistic statistic, SparsityTarget target, CancellationToken cancellationToken)
    {
        statistic.ThrowIfUnusable();
        Tensor magnitude = weight.abs().to(ScalarType.Float32);
        Tensor share = (magnitude / magnitude.sum([1], keepdim: true)).Plus(magnitude / magnitude.sum([0], keepdim: true));
        Tensor inputNorm = statistic.SquaredNorms.sqrt().to(ScalarType.Float32);
        Tensor score = share.nan_to_num(0) * inputNorm.sqrt();
        return new PrunedWeight(weight.masked_fill(LowestScores(score, target, SparsityScope.Row), Scalars.Of(0)));
    }
}
#endregion
