using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

public sealed class ExpansionTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_GatedBlocks_ShareRoutersByInput()
    {
        using ExpansionResult result = Builder(experts: 4).Run();

        Assert.Equal(
            ["blocks.0.gate", "blocks.0.up", "blocks.0.down", "blocks.1.gate", "blocks.1.up", "blocks.1.down"],
            result.Report.Layers.Select(layer => layer.Name));
        Assert.Same(result.Layers["blocks.0.gate"].InputGroup, result.Layers["blocks.0.up"].InputGroup);
        Assert.NotSame(result.Layers["blocks.0.gate"].InputGroup, result.Layers["blocks.0.down"].InputGroup);
        Assert.All(result.Report.Layers, layer =>
        {
            Assert.Equal(4 * 64, layer.Tokens);
            Assert.Equal(0.5, layer.Sparsity, 2);
            Assert.InRange(layer.OutputError, 1e-6, 0.9);
        });
    }

    [Fact]
    public void Run_OneExpert_EqualsThePrunerOnTheInputsOfExpandedBlocks()
    {
        using var scope = NewDisposeScope();
        using var reference = new GatedModel();
        var pruner = new WandaSparsifier();
        SparsityTarget target = SparsityTarget.Unstructured(0.5);

        using ExpansionResult result = _model.Expand().Blocks(m => m.blocks).Targets("*.gate")
            .RouteWith(new SingleExpertRouterTrainer()).PruneWith(pruner, target).CalibrateOn(_batches).Run();

        Tensor hidden = cat([.. _batches.Select(batch => batch.reshape(-1, GatedModel.Width))]);
        for (int b = 0; b < 2; b++)
        {
            var gate = (Linear)reference.blocks[b].named_children().Single(child => child.name == "gate").module;
            using IActivationStatistic statistic = ((ISparsifier)pruner).CreateStatistic(
                new LayerDescriptor("gate", GatedModel.Width, GatedModel.Hidden, CPU));
            statistic.Observe(hidden);
            using PruningResult expected = pruner.Prune(gate.weight!, statistic, target);
            Assert.True(expected.Weight.allclose(result.Layers[$"blocks.{b}.gate"].GetExpertWeight(0)), $"block {b}");
            using (no_grad())
            {
                gate.weight!.copy_(expected.Weight);
                hidden = reference.blocks[b].call(hidden);
            }
        }
    }

    [Fact]
    public void Run_PaddedPositions_EnterNoStatistic()
    {
        using var scope = NewDisposeScope();
        using var other = new GatedModel();
        CalibrationBatch[] padded = [.. _batches.Select(batch =>
        {
            Tensor garbage = full([2, 5, GatedModel.Width], Scalars.Of(1e3));
            Tensor mask = cat([ones(2, batch.shape[1], ScalarType.Bool), zeros(2, 5, ScalarType.Bool)], 1);
            return new CalibrationBatch(cat([batch, garbage], 1), mask);
        })];

        using ExpansionResult plain = Builder(experts: 3).Run();
        using ExpansionResult masked = Configure(other.Expand(), experts: 3).CalibrateOn(padded).Run();

        foreach ((string name, SparseMixtureLayer layer) in plain.Layers)
        {
            Assert.Equal(layer.ExpertCount, masked.Layers[name].ExpertCount);
            for (int e = 0; e < layer.ExpertCount; e++)
            {
                Assert.True(
                    layer.GetExpertWeight(e).allclose(masked.Layers[name].GetExpertWeight(e), atol: 1e-5), name);
            }
        }
    }

    [Fact]
    public void Run_SameSeedTwice_GivesTheSameExperts()
    {
        using var scope = NewDisposeScope();
        using var other = new GatedModel();

        using ExpansionResult first = Builder(experts: 4).WithSeed(7).Run();
        using ExpansionResult second = Configure(other.Expand(), experts: 4).CalibrateOn(_batches).WithSeed(7).Run();

        Assert.All(first.Layers, entry => Assert.True(
            TensorChecks.Equal(entry.Value.GetExpertWeight(0), second.Layers[entry.Key].GetExpertWeight(0))));
        Assert.Equal(first.Report.Manifest.CalibrationHash, second.Report.Manifest.CalibrationHash);
    }

    [Fact]
    public void Run_WholeModelAsOneBlock_ExpandsTheHeadToo()
    {
        using ExpansionResult result = _model.Expand().RouteWith(
            new PcaKMeansOptions { Experts = 2, PcaReduction = null })
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.NM(2, 4)).CalibrateOn(_batches).Run();

        Assert.Contains("head", result.Layers.Keys);
        Assert.Equal(7, result.Layers.Count);
        Assert.All(result.Report.Layers, layer => Assert.Equal(0.5, layer.Sparsity));
    }

    [Fact]
    public void Run_TargetsOutsideTheBlocks_AreExpandedLast()
    {
        using ExpansionResult result = _model.Expand().Blocks(m => m.blocks).Targets("head", "*.down")
            .RouteWith(new SingleExpertRouterTrainer())
                .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();

        Assert.Equal(["blocks.0.down", "blocks.1.down", "head"], result.Report.Layers.Select(layer => layer.Name));
    }

    [Fact]
    public void Run_LaterLayersOnExpandedInputs_DifferFromDenseInputs()
    {
        using var scope = NewDisposeScope();
        using var other = new GatedModel();
        var options = new ExpansionOptions { WithinBlock = BlockInputs.Expanded };

        using ExpansionResult dense = Builder(experts: 1).Run();
        using ExpansionResult expanded = Configure(other.Expand(), experts: 1).CalibrateOn(_batches)
            .WithOptions(options).Run();

        Assert.True(TensorChecks.Equal(dense.Layers["blocks.0.up"].GetExpertWeight(0), expanded.Layers["blocks.0.up"].GetExpertWeight(0)));
        Assert.False(TensorChecks.Equal(dense.Layers["blocks.0.down"].GetExpertWeight(0), expanded.Layers["blocks.0.down"].GetExpertWeight(0)));
    }

    [Fact]
    public void Run_MoreExperts_LowerTheOutputError()
    {
        using var other = new GatedModel();

        using ExpansionResult one = Builder(experts: 1).Run();
        using ExpansionResult four = Configure(other.Expand(), experts: 4).CalibrateOn(_batches).Run();

        Assert.True(four.Report.Layers[0].OutputError < one.Report.Layers[0].OutputError);
    }

    [Fact]
    public void Revert_AfterRun_GivesTheDenseModelBack()
    {
        using var scope = NewDisposeScope();
        Tensor before = _model.call(_batches[0]);
        string[] names = [.. _model.state_dict().Keys];

        using ExpansionResult result = Builder(experts: 4).Run();
        bool changed = !TensorChecks.Equal(before, _model.call(_batches[0]));
        result.Revert();

        Assert.True(changed);
        Assert.True(TensorChecks.Equal(before, _model.call(_batches[0])));
        Assert.Equal(names, _model.state_dict().Keys);
        Assert.Throws<InvalidOperationException>(result.Revert);
    }

    [Fact]
    public void Run_TrainingModes_AreGivenBack()
    {
        _model.train();
        _model.blocks[1].eval();

        using ExpansionResult result = Builder(experts: 1).Run();

        Assert.True(_model.training);
        Assert.True(_model.blocks[0].training);
        Assert.False(_model.blocks[1].training);
    }

    [Fact]
    public void Run_Progress_RisesToOne()
    {
        var seen = new List<ExpansionProgress>();

        using ExpansionResult result = Builder(experts: 2).Run(new ListProgress(seen));

        Assert.Equal(seen.Select(step => step.Fraction).Order(), seen.Select(step => step.Fraction));
        Assert.Equal(
            new ExpansionProgress(ExpansionStage.Finished, 1, 2, null, 1) { TimeLeft = TimeSpan.Zero }, seen[^1]);
    }

    [Fact]
    public void Report_Json_RoundTrips()
    {
        using ExpansionResult result = Builder(experts: 2).Run();

        ExpansionReport again = ExpansionReport.FromJson(result.Report.ToJson());

        Assert.Equal(result.Report.ToJson(), again.ToJson());
        Assert.Equal(result.Report.Layers[0].OutputError, again.Layers[0].OutputError);
        string[] lines = result.Report.ToString().Split(Environment.NewLine);
        Assert.Equal(result.Report.Layers.Count + 2, lines.Length);
        Assert.All(result.Report.Layers.Zip(lines[2..]), pair => Assert.StartsWith(pair.First.Name, pair.Second, StringComparison.Ordinal));
    }

    [Fact]
    public void Report_AsText_TellsOfRoutersExpertsAndBlocks()
    {
        using ExpansionResult result = Builder(experts: 8)
            .WithExpertStatistics(new ExpertStatisticsOptions { MinimumTokens = 60, Shrinkage = Shrinkage.Fixed(12.5) })
            .RefineRouter()
            .FineTune(new FineTuningOptions { Steps = 2, HoldOut = 0.3 })
            .Run();

        string[] remarks = result.Report.ToString().Split(Environment.NewLine)[(result.Report.Layers.Count + 2)..];

        Assert.Equal(4 + 2, remarks.Length); // Gate and up share a router, down has one; two blocks.
        LayerReport gate = result.Report.Layers[0];
        Assert.StartsWith($"blocks.0.gate, blocks.0.up: {(gate.RouterRefinement!.Rounds == 0 ? "trained router kept" : "router refined in ")}", remarks[0], StringComparison.Ordinal);
        Assert.Contains($"; {gate.DissolvedExperts} expert", remarks[0], StringComparison.Ordinal);
        Assert.EndsWith("by 12.5 tokens", remarks[0], StringComparison.Ordinal);
        Assert.StartsWith("block 1 fine-tuned", remarks[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CompleteExpansionAndRevert_LeavesNoTensors()
    {
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using ExpansionResult result = Builder(experts: 4).Run();
                result.Revert();
            },
            parametersDisposed: 6 + 4); // Six layers, four of them with a bias.
    }

    [Fact]
    public void Forward_ExpandedModelHundredTimes_LeavesNoTensors()
    {
        using ExpansionResult result = Builder(experts: 4).Run();

        LeakCheck.NoTensorsLeft(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                using Tensor output = _model.call(_batches[0]);
            }
        });
    }

    private ExpansionBuilder<GatedModel> Builder(int experts) =>
        Configure(_model.Expand(), experts).CalibrateOn(_batches);

    private static ExpansionBuilder<GatedModel> Configure(ExpansionBuilder<GatedModel> builder, int experts) => builder
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = experts, PcaReduction = 4 })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5));

    private sealed class ListProgress(List<ExpansionProgress> seen) : IProgress<ExpansionProgress>
    {
        public void Report(ExpansionProgress value) => seen.Add(value);
    }
}
