using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

public sealed class AlpsTransposedWeightTests
{
    [Fact]
    public void Prune_WeightThatIsATransposedView_IsPrunedAsItsCopy()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor stored = randn(24, 32), tokens = randn(200, 24);
        var pruner = new AlpsSparsifier();
        using HessianStatistic statistic = pruner.CreateStatistic(new LayerDescriptor("layer", 24, 32, CPU));
        statistic.Observe(tokens);

        using PruningResult view = pruner.Prune(stored.t(), statistic, SparsityTarget.Unstructured(0.5));
        using PruningResult copy = pruner.Prune(stored.t().contiguous(), statistic, SparsityTarget.Unstructured(0.5));

        Assert.True(TensorChecks.Equal(copy.Weight, view.Weight));
    }
}
