using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Refinement;

public sealed class RouterRefinementTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches(count: 24);
    private readonly StarvedClusters _clusters = new(4);
    private readonly ExpertPruner _pruner = new(
        new WandaSparsifier(), SparsityTarget.Unstructured(0.6),
        new LayerDescriptor("layer", StarvedClusters.Features, 64, CPU), 1_000);

    public void Dispose()
    {
        _model.Dispose();
        _clusters.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Theory]
    [InlineData(20)] // More rows than columns, and fewer: two ways to the same costs.
    [InlineData(64)]
    public void Compute_Costs_AreTheTokensRelativeErrors(int rows)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = _clusters.Draw(1, shuffled: true, 40, 40, 40, 40);
        Tensor weight = _clusters.Weight.narrow(0, 0, rows);
        using ExpertStatistics statistics = _pruner.Gather(
            _pruner.Divide(new TokenMatrix(tokens), _clusters.Router, default), 0, default);
        IReadOnlyList<PruningResult> experts = _pruner.Prune(weight, statistics, default);

        Tensor costs = TokenCosts.Compute([weight, weight], [experts, experts], [2.0, 3.0], tokens, 7);

        for (int e = 0; e < experts.Count; e++)
        {
            Tensor error = tokens.matmul((weight - experts[e].Weight).t()).to(ScalarType.Float64).Squared().sum([1L]);
            Assert.True(
                costs.select(1, e).to(ScalarType.Float64).allclose(error * Scalars.Of(1 / 2.0 + 1 / 3.0), 1e-3, 1e-4));
        }

        experts.DisposeAll();
    }

    [Fact]
    public void Refine_ArbitraryStart_LowersTheHeldOutError()
    {
        using Tensor tokens = _clusters.Draw(2, shuffled: true, 500, 500, 500, 500);
        using var start = new RandomRouter(StarvedClusters.Features, 4, 1);

        (IRouter? router, RouterRefinement report) = Refiner(new RouterRefinementOptions()).Refine(
            start, [_clusters.Weight], [_pruner.Target], new TokenMatrix(tokens));
        using (router)
        {
            Assert.IsType<LinearRouter>(router);
            Assert.InRange(report.Rounds, 1, 2);
            Assert.True(report.ErrorAfter < 0.98 * report.ErrorBefore, $"{report}");
        }
    }

    [Fact]
    public void Refine_NothingToGain_KeepsTheStart()
    {
        // One pass over one token teaches nothing, and the start is the truth.
        using var clusters = new StarvedClusters(4, distance: 4);
        using Tensor tokens = clusters.Draw(3, shuffled: true, 300, 300, 300, 300);
        (IRouter? router, RouterRefinement report) = Refiner(new RouterRefinementOptions { FitTokens = 1, Epochs = 1 })
            .Refine(clusters.Router, [clusters.Weight], [_pruner.Target], new TokenMatrix(tokens));
        Assert.Null(router);
        Assert.Equal((0, report.ErrorBefore), (report.Rounds, report.ErrorAfter));
        Assert.True(report.ErrorBefore > 0);
    }

    [Fact]
    public void Refine_Repeated_LeavesNoTensor()
    {
        using Tensor tokens = _clusters.Draw(4, shuffled: true, 50, 50, 50, 50);
        LeakCheck.NoTensorsLeft(() => Refiner(new RouterRefinementOptions { Epochs = 2 })
            .Refine(_clusters.Router, [_clusters.Weight], [_pruner.Target], new TokenMatrix(tokens)).Router?.Dispose());
    }

    [Fact]
    public void Run_Refined_IsReportedAndNeverWorseOnHeldOutTokens()
    {
        using ExpansionResult result = Builder().RouteWith(new RandomRouterTrainer(4)).RefineRouter().Run();
        ExpansionReport read = ExpansionReport.FromJson(result.Report.ToJson());

        Assert.All(read.Layers, layer => Assert.True(layer.RouterRefinement!.ErrorAfter <= layer.RouterRefinement!.ErrorBefore));
        Assert.Contains(read.Layers, layer => layer.RouterRefinement!.Rounds > 0);
        Assert.Contains(nameof(RouterRefinementOptions.HoldOut), read.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_RefinedRouter_LoadsAsALinearOne()
    {
        using var folder = new TemporaryFolder();
        using var fresh = new GatedModel(seed: 9);
        using ExpansionResult result = Builder().RouteWith(new RandomRouterTrainer(4)).RefineRouter().Run();
        result.Save(folder.File("model"));
        ExpandedModel.Load(fresh, folder.File("model"));
        using Tensor expected = _model.call(_batches[0]), loaded = fresh.call(_batches[0]);
        Assert.True(expected.allclose(loaded, 1e-5, 1e-5));
    }

    [Fact]
    public void Run_OneExpert_IsLeftAlone()
    {
        using ExpansionResult result = Builder().RouteWith(new SingleExpertRouterTrainer()).RefineRouter().Run();
        Assert.All(result.Report.Layers, layer => Assert.Equal(new RouterRefinement(0, 0, 0), layer.RouterRefinement));
    }

    [Fact]
    public void Validate_ImpossibleValues_AreNamed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            "Rounds", () => Builder().RefineRouter(new RouterRefinementOptions { Rounds = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            "HoldOut", () => Builder().RefineRouter(new RouterRefinementOptions { HoldOut = double.NaN }));
        Assert.Throws<ArgumentOutOfRangeException>(
            "FitTokens", () => Builder().RefineRouter(new RouterRefinementOptions { FitTokens = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            "Rows", () => Builder().RefineRouter(new RouterRefinementOptions { Rows = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            "Epochs", () => Builder().RefineRouter(new RouterRefinementOptions { Epochs = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            "WeightDecay", () => Builder().RefineRouter(new RouterRefinementOptions { WeightDecay = -1 }));
    }

    private RouterRefiner Refiner(RouterRefinementOptions options) =>
        new(options, _pruner, 0, (router, _) => router, 1, _ => { }, default);

    private ExpansionBuilder<GatedModel> Builder() => _model.Expand()
        .Blocks(m => m.blocks)
        .Targets("*.gate", "*.up", "*.down")
        .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
        .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.6))
        .CalibrateOn(_batches);
}
