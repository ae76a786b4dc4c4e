using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Quantization;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.DenseQuantization;

public sealed class DenseQuantizationTests : IDisposable
{
    private readonly GatedModel _model = new(normalized: true);
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_TargetsInBlocks_RoundsTheOthersByTheInputsOfTheCompressedModel()
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> dense = Weights();
        using ExpansionResult result = Expand(_model, "*.down").Run();
        result.Unpack();

        Assert.Equal(["blocks.0.gate", "blocks.0.up", "blocks.1.gate", "blocks.1.up", "head"], result.Report.DenseQuantization.Select(layer => layer.Name));
        Tensor[] hidden = _batches;
        for (int block = 0; block < 2; block++)
        {
            Tensor norm = (Tensor)_model.state_dict()[$"blocks.{block}.norm.weight"], shift = _model.state_dict()[$"blocks.{block}.norm.bias"];
            using HessianStatistic statistic = Observe(hidden.Select(batch => nn.functional.layer_norm(batch, [GatedModel.Width], norm, shift)));
            AssertRounded(dense, $"blocks.{block}.gate", statistic, result);
            AssertRounded(dense, $"blocks.{block}.up", statistic, result);
            hidden = [.. hidden.Select(_model.blocks[block].call)];
        }

        using HessianStatistic last = Observe(hidden);
        AssertRounded(dense, "head", last, result);
        Assert.All(result.Report.DenseQuantization, layer => Assert.InRange(layer.OutputError!.Value, 1e-6, 0.05));
        Assert.Contains("5 dense weights rounded to 4 bits", result.Report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Revert_PutsTheVeryWeightsBack()
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> before = _model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        ExpansionResult result = Expand(_model, "*.down").Run();
        Assert.False(TensorChecks.Equal(before["head.weight"], _model.state_dict()["head.weight"]));

        result.Revert();

        Assert.All(before, entry => Assert.True(TensorChecks.Equal(entry.Value, _model.state_dict()[entry.Key])));
        Assert.All(_model.modules(), module => Assert.Null(Layers.RoundedWeights.Find(module)));
    }

    [Fact]
    public void Run_TargetsInTheFirstBlockAlone_RoundsAllBlocks()
    {
        using ExpansionResult result = Expand(_model, "blocks.0.*").Run();
        Assert.Equal(["blocks.1.gate", "blocks.1.up", "blocks.1.down", "head"], result.Report.DenseQuantization.Select(layer => layer.Name));
        Assert.Equal(3, result.Layers.Count);
    }

    [Fact]
    public void Run_WholeModel_RoundsTheOthersInTheirOrder()
    {
        using ExpansionResult result = With(_model.Expand().Targets("blocks.1.*")).Run();
        Assert.Equal(["blocks.0.gate", "blocks.0.up", "blocks.0.down", "head"], result.Report.DenseQuantization.Select(layer => layer.Name));
        Assert.All(result.Report.DenseQuantization, layer => Assert.NotNull(layer.OutputError));
    }

    [Fact]
    public void Run_ChosenLayers_LeavesTheOthers()
    {
        using var scope = NewDisposeScope();
        Tensor head = _model.state_dict()["head.weight"].clone();
        using ExpansionResult result = Expand(
            _model, "*.down", new DenseQuantizationOptions { Layers = ["*.gate"], Weights = new WeightQuantization { Bits = 2, GroupSize = null } }).Run();
        Assert.Equal([("blocks.0.gate", 2, null), ("blocks.1.gate", 2, (int?)null)], result.Report.DenseQuantization.Select(layer => (layer.Name, layer.Bits, layer.GroupSize)));
        Assert.True(TensorChecks.Equal(head, _model.state_dict()["head.weight"]));
    }

    [Fact]
    public void Run_MoreBits_LosesLess()
    {
        double[] errors = [.. new[] { 2, 3, 4, 8 }.Select(bits =>
        {
            using var model = new GatedModel(normalized: true);
            using ExpansionResult result = Expand(model, "*.down", new DenseQuantizationOptions { Weights = new WeightQuantization { Bits = bits } }).Run();
            return result.Report.DenseQuantization.Sum(layer => layer.OutputError!.Value);
        })];
        Assert.Equal(errors.OrderDescending(), errors);
        Assert.True(errors[0] > 3 * errors[2]);
    }

    [Fact]
    public void Run_WithFineTuningAndCompensation_TakesTheDenseModelsOutputsAsTheyWere()
    {
        using var scope = NewDisposeScope();
        ExpansionBuilder<GatedModel> builder = Expand(_model, "*.down").CompensateErrors()
            .FineTune(new FineTuningOptions { Steps = 40, HoldOut = 0.25 });
        using ExpansionResult result = builder.Run();
        Assert.All(result.Report.FineTuning, block => Assert.True(block.LossAfter <= block.LossBefore));
        Assert.Equal(5, result.Report.DenseQuantization.Count);
    }

    [Fact]
    public void Run_Embedding_IsRoundedToTheNearestValues()
    {
        using var scope = NewDisposeScope();
        using var model = new EmbeddedModel();
        Tensor before = model.embedding.weight!.clone();
        Tensor[] ids = [randint(0, 50, [2, 12]), randint(0, 50, [2, 12])];
        using ExpansionResult result = Configure(model.Expand().Blocks(m => m.inner.blocks).Targets("*.down"), new DenseQuantizationOptions())
            .CalibrateOn(ids.Select(Calibration.CalibrationBatch.FromTensor)).Run();

        using QuantizationGrid grid = QuantizationGrid.Fit(before, new WeightQuantization());
        Assert.Equal("embedding", result.Report.DenseQuantization[0].Name);
        Assert.Null(result.Report.DenseQuantization[0].OutputError);
        Assert.True(TensorChecks.Equal(grid.Round(before), model.embedding.weight!));
        result.Revert();
        Assert.True(TensorChecks.Equal(before, model.embedding.weight!));
    }

    [Fact]
    public void Report_AsJson_IsReadBack()
    {
        using ExpansionResult result = Expand(_model, "*.down").Run();
        ExpansionReport read = ExpansionReport.FromJson(result.Report.ToJson());
        Assert.Equal(result.Report.DenseQuantization, read.DenseQuantization);
        Assert.Contains("DenseQuantizationOptions", read.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_BadInput_SaysWhatIsWrong()
    {
        Assert.Throws<ArgumentOutOfRangeException>("Bits", () => Expand(_model, "*.down", new DenseQuantizationOptions { Weights = new WeightQuantization { Bits = 6 } }));
        Assert.Throws<ArgumentException>("Layers", () => Expand(_model, "*.down", new DenseQuantizationOptions { Layers = [" "] }));
        NoMatchingLayerException none = Assert.Throws<NoMatchingLayerException>(
            () => Expand(_model, "*.down", new DenseQuantizationOptions { Layers = ["*.attention.*"] }).Run());
        Assert.Contains("'*.attention.*'", none.Message, StringComparison.Ordinal);
        Assert.Contains("head", none.Message, StringComparison.Ordinal);
        using (no_grad())
        {
            _model.state_dict()["head.weight"][0, 0] = float.NaN;
        }

        Assert.Contains("'head'", Assert.Throws<SparseExpansionException>(() => Expand(_model, "*.down").Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PlanMemory_CountsTheRounding()
    {
        ExpansionMemoryPlan plan = Expand(_model, "*.down").PlanMemory();
        Assert.Contains(plan.Stages, stage => stage.Name == "dense quantization" && stage.Bytes > 0);
    }

    [Fact]
    public void RunAndRevert_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using ExpansionResult result = Expand(_model, "*.down").Run();
        result.Revert();
    }, parametersDisposed: 4);

    private static HessianStatistic Observe(IEnumerable<Tensor> inputs)
    {
        var statistic = new HessianStatistic(GatedModel.Width, CPU);
        foreach (Tensor input in inputs)
        {
            statistic.Observe(input.reshape(-1, GatedModel.Width));
        }

        return statistic;
    }

    private static ExpansionBuilder<T> Configure<T>(ExpansionBuilder<T> builder, DenseQuantizationOptions options)
        where T : nn.Module => builder
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .QuantizeDense(options);

    private ExpansionBuilder<GatedModel> Expand(GatedModel model, string targets, DenseQuantizationOptions? options = null) =>
        With(model.Expand().Blocks(m => m.blocks).Targets(targets), options);

    private ExpansionBuilder<GatedModel> With(ExpansionBuilder<GatedModel> builder, DenseQuantizationOptions? options = null) =>
        Configure(builder, options ?? new DenseQuantizationOptions()).CalibrateOn(_batches.Select(Calibration.CalibrationBatch.FromTensor));

    private Dictionary<string, Tensor> Weights() => _model.named_modules().Where(entry => entry.module is Linear)
        .ToDictionary(entry => entry.name, entry => ((Linear)entry.module).weight!.detach().clone());

    private void AssertRounded(Dictionary<string, Tensor> dense, string name, HessianStatistic statistic, ExpansionResult result)
    {
        (Tensor expected, QuantizationGrid grid) = MaskedQuantizer.Quantize(dense[name], statistic.Hessian, new WeightQuantization(), CancellationToken.None);
        using (grid)
        {
            Tensor actual = _model.state_dict()[$"{name}.weight"];
            Assert.True(grid.Contains(actual), name);
            // Sums of other chunks differ in their last digits, which may turn a near tie.
            Assert.InRange((expected - actual).ne(Scalars.Of(0)).to(ScalarType.Float32).mean().item<float>(), 0, 0.05);
            Assert.Equal(statistic.RelativeOutputError(dense[name], actual), result.Report.DenseQuantization.Single(layer => layer.Name == name).OutputError!.Value, 0.001);
        }
    }

    private sealed class EmbeddedModel : nn.Module<Tensor, Tensor>
    {
        public readonly Embedding embedding = nn.Embedding(50, GatedModel.Width);
        public readonly GatedModel inner = new(normalized: true);

        public EmbeddedModel()
            : base(nameof(EmbeddedModel)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using Tensor hidden = embedding.call(input);
            return inner.call(hidden);
        }
    }
}
