using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>A pruner that the library does not have, and that tells what it takes.</summary>
internal sealed class SizedPruner : Sparsifier<AbsoluteSums>, ISizedSparsifier, IRoundingSparsifier
{
    public override string Name => "sized";

    public long Bytes { get; init; } = 1 << 10;

    public double Work { get; init; } = 1e6;

    public long StatisticBytes { get; init; }

    public bool RoundsWeights { get; init; }

    public long BytesToPrune(long rows, long columns, int experts) => Bytes;

    public double WorkToPrune(long rows, long columns) => Work;

    public override AbsoluteSums CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures, StatisticBytes);

    public override string ToString() => $"{Name} of {Bytes} bytes";

    protected override PrunedWeight PruneCore(
        Tensor weight, AbsoluteSums statistic, SparsityTarget target, CancellationToken cancellationToken)
    {
        Tensor scores = weight.abs() * statistic.Sums.to(ScalarType.Float32);
        return new PrunedWeight(weight.masked_fill(LowestScores(scores, target, SparsityScope.Row), Scalars.Of(0)));
    }
}
