using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.SmallExperts;

public sealed class FewTokensTests : IDisposable
{
    private static readonly LayerDescriptor s_layer = new("layer", StarvedClusters.Features, 64, CPU);

    private readonly StarvedClusters _clusters = new(4);
    private readonly ExpertPruner _pruner = new(
        new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5), s_layer, 1_000);

    public void Dispose() => _clusters.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    public void Shrinkage_StarvedClusters_LowersTheErrorOnUnseenTokens(int few)
    {
        using Tensor seen = _clusters.Draw(10, shuffled: true, few, few, 25, 400);
        using Tensor unseen = _clusters.Draw(11, shuffled: false, 300, 300, 300, 300);

        double plain = HeldOutError(seen, unseen, 0);
        double shrunken = HeldOutError(seen, unseen, 50);

        Assert.True(shrunken < 0.97 * plain, $"{shrunken} against {plain}");
    }

    [Fact]
    public void Choose_StarvedClusters_FindsAStrengthThatHelps()
    {
        using Tensor seen = _clusters.Draw(12, shuffled: true, 25, 25, 25, 25);
        using Tensor unseen = _clusters.Draw(13, shuffled: false, 300, 300, 300, 300);

        double prior = Choose(Shrinkage.HeldOut(0.2), _pruner, seen);

        Assert.True(prior > 0);
        Assert.True(HeldOutError(seen, unseen, prior) < HeldOutError(seen, unseen, 0));
    }

    [Fact]
    public void Choose_GivenOrOff_LooksAtNoToken()
    {
        using Tensor seen = _clusters.Draw(12, shuffled: true, 9, 9, 9, 9);
        Assert.Equal(17, Choose(Shrinkage.Fixed(17), _pruner, seen));
        Assert.Equal(0, Choose(Shrinkage.Off, _pruner, seen));
    }

    [Fact]
    public void Choose_StatisticThatCannotShrink_IsLeftAlone()
    {
        using Tensor seen = _clusters.Draw(12, shuffled: true, 9, 9, 9, 9);
        Assert.Equal(0, Choose(Shrinkage.HeldOut(), _pruner with { Sparsifier = new MagnitudeSparsifier() }, seen));
    }

    [Fact]
    public void Choose_Repeated_LeavesNoTensor()
    {
        using Tensor seen = _clusters.Draw(12, shuffled: true, 9, 9, 9, 9);
        LeakCheck.NoTensorsLeft(() => Choose(Shrinkage.HeldOut(), _pruner, seen));
    }

    [Fact]
    public void Dissolve_SmallExperts_SendsTheirTokensToTheNextNearestCenter()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = _clusters.Draw(14, shuffled: true, 3, 200, 1, 200);
        RouterState all = _clusters.Router.GetState();
        (IRouter router, RouterAssignment assignment) = Dissolve(
            new LinearRouter(all.Tensors["weight"], all.Tensors["bias"]), tokens, 50);
        using (router)
        {
            Tensor kept = all.Tensors["weight"].index_select(0, tensor(new long[] { 1, 3 }));
            Tensor nearest = cdist(tokens, kept).argmin(1);
            Assert.Equal(2, router.ExpertCount);
            Assert.Equal(nearest.data<long>().ToArray(), assignment.Experts.ToArray().Select(expert => (long)expert));
            Assert.Equal(404, assignment.TokensPerExpert.Sum());
        }
    }

    [Fact]
    public void Dissolve_ImpossibleMinimum_LeavesOneExpert()
    {
        using Tensor tokens = _clusters.Draw(14, shuffled: true, 5, 5, 5, 5);
        RouterState all = _clusters.Router.GetState();
        (IRouter router, RouterAssignment assignment) = Dissolve(
            new LinearRouter(all.Tensors["weight"], all.Tensors["bias"]), tokens, 1_000);
        using (router)
        {
            Assert.Equal((1, 20L), (router.ExpertCount, assignment.TokensPerExpert[0]));
        }
    }

    [Fact]
    public void Dissolve_RouterThatCannotDoWithout_StaysAsItIs()
    {
        using Tensor tokens = _clusters.Draw(14, shuffled: true, 5, 5, 5, 5);
        using var single = new SingleExpertRouter(StarvedClusters.Features);
        Assert.Same(single, Dissolve(single, tokens, 1_000).Router);
    }

    private static RoutedTokens Dissolve(IRouter router, Tensor tokens, long minimum)
    {
        var source = new TokenMatrix(tokens);
        return Dissolution.Dissolve(new RoutedTokens(router, RouterAssignment.Compute(router, source, 100, CPU, default)), source, minimum, 100, CPU, default);
    }

    private double Choose(Shrinkage shrinkage, ExpertPruner pruner, Tensor seen) =>
        ShrinkageChoice.Choose(shrinkage, pruner, _clusters.Weight, _clusters.Router, new TokenMatrix(seen), default);

    private double HeldOutError(Tensor seen, Tensor unseen, double priorTokens)
    {
        using ExpertStatistics statistics = _pruner.Gather(
            _pruner.Divide(new TokenMatrix(seen), _clusters.Router, default), priorTokens, default);
        IReadOnlyList<PruningResult> pruned = _pruner.Prune(_clusters.Weight, statistics, default);
        try
        {
            return OutputErrorMeter.Measure(_clusters.Weight, pruned, _pruner.Divide(new TokenMatrix(unseen), _clusters.Router, default), default).Total;
        }
        finally
        {
            pruned.DisposeAll();
        }
    }
}
