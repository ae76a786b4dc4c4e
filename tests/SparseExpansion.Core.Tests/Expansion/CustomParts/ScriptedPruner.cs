using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Wanda's scores, and whatever a test makes of the mask.</summary>
internal sealed class ScriptedPruner(Func<Tensor, Tensor, PrunedWeight?> finish, Action<ColumnNormStatistic>? touch = null) : Sparsifier<ColumnNormStatistic>
{
    public override string Name => "scripted";

    public override ColumnNormStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures, layer.Device);

    protected override PrunedWeight PruneCore(
        Tensor weight, ColumnNormStatistic statistic, SparsityTarget target, CancellationToken cancellationToken)
    {
        touch?.Invoke(statistic);
        Tensor scores = weight.abs() * statistic.SquaredNorms.sqrt().to(ScalarType.Float32);
        return finish(weight, LowestScores(scores, target, SparsityScope.Row))!;
    }
}
