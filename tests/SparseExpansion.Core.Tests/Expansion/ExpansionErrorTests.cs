using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Bad input gives an error that says what to do, and leaves the model as it was.</summary>
public sealed class ExpansionErrorTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();
    private readonly Tensor _before;

    public ExpansionErrorTests() => _before = _model.call(_batches[0]);

    public void Dispose()
    {
        _before.Dispose();
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_PatternThatMatchesNothing_ListsTheLinears()
    {
        var error = Fails<NoMatchingLayerException>(Builder().Targets("*.mlp.*"));

        Assert.Equal("'*.mlp.*'", error.Unmatched);
        Assert.Equal(7, error.Layers.Count);
        Assert.Equal(("blocks.0.gate", "head"), (error.Layers[0], error.Layers[^1]));
        Assert.Contains("'*.mlp.*'", error.Message, StringComparison.Ordinal);
        Assert.Contains("blocks.0.gate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OneOfSeveralPatternsMatchesNothing_IsNamed()
    {
        var error = Fails<NoMatchingLayerException>(Builder().Targets("blocks.*.up", "blocks.*.dwon"));

        Assert.Contains("matches 'blocks.*.dwon'.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'blocks.*.up'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_BlocksWithoutTargets_LeavesLinearsOutsideAlone()
    {
        using ExpansionResult result = Configure(_model.Expand().Blocks(m => m.blocks)).Run();
        Assert.Equal(6, result.Layers.Count);
        Assert.All(result.Layers.Keys, name => Assert.StartsWith("blocks.", name, StringComparison.Ordinal));
        result.Revert();
        using ExpansionResult whole = Configure(_model.Expand()).Run();
        Assert.Contains("head", whole.Layers.Keys);
        whole.Revert();
    }

    [Fact]
    public void Run_BlocksOfNoLinears_SaysSo()
    {
        using var block = TorchSharp.torch.nn.ReLU();
        Assert.Contains("matches the blocks", Fails<NoMatchingLayerException>(Configure(_model.Expand().Blocks(_ => [block]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MoreExpertsThanTokens_NamesTheLayers()
    {
        var error = Fails<TooManyExpertsException>(Builder().RouteWith(new PcaKMeansOptions { Experts = 300, PcaReduction = null }));

        Assert.Equal((300, 256L, "blocks.0.gate, blocks.0.up"), (error.Experts, error.Tokens, error.Layer));
        Assert.Contains("blocks.0.gate", error.Message, StringComparison.Ordinal);
        Assert.Contains("300", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NaNInActivations_NamesTheLayer()
    {
        using var scope = NewDisposeScope();
        Tensor bad = _batches[0].clone();
        bad[0, 0, 0] = float.NaN;

        var error = Fails<CalibrationException>(Builder().CalibrateOn([bad]));
        Assert.Contains("blocks.0.gate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NaNInWeights_NamesTheLayer()
    {
        using var scope = NewDisposeScope();
        var down = (Linear)_model.blocks[0].named_children().Single(child => child.name == "down").module;
        using (no_grad())
        {
            down.weight![0, 0] = float.NaN;
        }

        var error = Assert.Throws<PruningException>(() => Builder().Run());
        Assert.Contains("blocks.0.down", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_IndivisibleColumns_NamesTheLayer()
    {
        var error = Fails<IncompatibleSparsityException>(Builder().PruneWith(new WandaSparsifier(), SparsityTarget.NM(2, 5)));

        Assert.Equal(("2:5", "blocks.0.gate", 16L), (error.Target.ToString(), error.Layer, error.InFeatures));
        Assert.Contains("blocks.0.gate", error.Message, StringComparison.Ordinal);
        Assert.Contains("divisible by 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_DataOnAnotherDevice_NamesBoth()
    {
        using Tensor elsewhere = zeros(2, 4, GatedModel.Width, device: META);

        var error = Fails<CalibrationException>(Builder().CalibrateOn([elsewhere]));
        Assert.Contains("meta", error.Message, StringComparison.Ordinal);
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_BatchOfTheWrongWidth_NamesItsShape()
    {
        using Tensor wide = zeros(2, 4, GatedModel.Width + 1);

        var error = Fails<CalibrationException>(Builder().CalibrateOn([wide]));
        Assert.Contains("[2, 4, 17]", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("frame #", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ModelExpandedAlready_SaysSo()
    {
        using ExpansionResult result = Builder().Targets("*").Run();

        var error = Assert.Throws<SparseExpansionException>(() => Builder().Run());
        Assert.Contains("expanded already", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_EmptyBatch_NamesIt()
    {
        using Tensor empty = zeros(0, 4, GatedModel.Width);

        Assert.Contains("batch 1", Fails<CalibrationException>(Builder().CalibrateOn([_batches[0], empty])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MaskOfAnotherShape_NamesBothShapes()
    {
        using Tensor mask = ones(2, 3, ScalarType.Bool);

        var error = Fails<CalibrationException>(Builder().CalibrateOn([new CalibrationBatch(_batches[0], mask)]));
        Assert.Contains("[2, 3]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_AllMasked_SaysSo()
    {
        using Tensor mask = zeros(2, 32, ScalarType.Bool);

        Assert.Contains("masked", Fails<CalibrationException>(Builder().CalibrateOn([new CalibrationBatch(_batches[0], mask)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_TargetInvokedByForward_IsAnErrorThatSaysCall()
    {
        using var model = new BypassingModel();

        var error = Assert.Throws<CalibrationException>(() => model.Expand()
            .RouteWith(new SingleExpertRouterTrainer()).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run());
        Assert.Contains("'unseen'", error.Message, StringComparison.Ordinal);
        Assert.Contains("call(x)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OneLinearInTwoPlaces_NamesBoth()
    {
        using var model = new SharedLinearModel();

        var error = Assert.Throws<SparseExpansionException>(() => model.Expand()
            .RouteWith(new SingleExpertRouterTrainer()).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run());
        Assert.Contains("'first' and 'second'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_BlocksInTheWrongOrder_IsAnError() =>
        Fails<SparseExpansionException>(Builder().Blocks(m => m.blocks.Reverse()));

    [Fact]
    public void Run_CustomPrunerThatThrows_NamesTheLayer()
    {
        var error = Fails<PruningException>(Builder().PruneWith(new FailingPruner(failAt: 3), SparsityTarget.Unstructured(0.5)));

        Assert.Contains("blocks.1.gate", error.Message, StringComparison.Ordinal);
        Assert.IsType<NotSupportedException>(error.InnerException?.InnerException ?? error.InnerException);
    }

    [Theory]
    [InlineData(nameof(ExpansionStage.Discovery))]
    [InlineData(nameof(ExpansionStage.Calibration))]
    [InlineData(nameof(ExpansionStage.Routing))]
    [InlineData(nameof(ExpansionStage.Pruning))]
    [InlineData(nameof(ExpansionStage.Propagation))]
    [InlineData(nameof(ExpansionStage.Packing))]
    public void Run_CanceledAtAnyStage_LeavesTheModelAsItWas(string stage)
    {
        using var source = new CancellationTokenSource();
        var progress = new CancellingProgress(stage, source);

        Assert.ThrowsAny<OperationCanceledException>(() => Builder().Run(progress, source.Token));
        AssertUntouched();
    }

    [Fact]
    public void Run_WithoutEverything_SaysWhatIsMissing()
    {
        Assert.Contains("RouteWith", Assert.Throws<InvalidOperationException>(() => _model.Expand().Run()).Message, StringComparison.Ordinal);
        Assert.Contains("PruneWith", Assert.Throws<InvalidOperationException>(() => _model.Expand().RouteWith(new SingleExpertRouterTrainer()).Run()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _model.Expand().CalibrateOn(Array.Empty<Tensor>()));
        Assert.Throws<ArgumentException>(() => _model.Expand().Targets());
        Assert.Throws<ArgumentException>(() => _model.Expand().Blocks(_ => []));
        Assert.Throws<ArgumentOutOfRangeException>(() => _model.Expand().WithOptions(new ExpansionOptions { ChunkTokens = 0 }));
    }

    [Fact]
    public void Run_Twice_IsRefused()
    {
        ExpansionBuilder<GatedModel> builder = Builder();
        using ExpansionResult result = builder.Run();

        Assert.Throws<InvalidOperationException>(() => builder.Run());
        Assert.Throws<InvalidOperationException>(() => builder.WithSeed(1));
    }

    private TError Fails<TError>(ExpansionBuilder<GatedModel> builder)
        where TError : Exception
    {
        var error = Assert.Throws<TError>(() => builder.Run());
        AssertUntouched();
        return error;
    }

    private void AssertUntouched()
    {
        using Tensor after = _model.call(_batches[0]);
        Assert.True(TensorChecks.Equal(_before, after));
    }

    private ExpansionBuilder<GatedModel> Builder() => Configure(_model.Expand().Blocks(m => m.blocks).Targets("blocks.*"));

    private ExpansionBuilder<GatedModel> Configure(ExpansionBuilder<GatedModel> builder) => builder
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches);

    private sealed class CancellingProgress(string stage, CancellationTokenSource source) : IProgress<ExpansionProgress>
    {
        public void Report(ExpansionProgress value)
        {
            if (value.Stage.Name == stage)
            {
                source.Cancel();
            }
        }
    }

    private sealed class FailingPruner(int failAt) : Sparsifier<TokenCountStatistic>
    {
        private int _layers;

        public override string Name => "failing";

        public override TokenCountStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures);

        protected override PrunedWeight PruneCore(Tensor weight, TokenCountStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            _layers++ < failAt * 2 ? new PrunedWeight(weight.clone()) { MayKeepMore = true } : throw new NotSupportedException("no more");
    }

    private sealed class SharedLinearModel : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> first = nn.Linear(GatedModel.Width, GatedModel.Width);
        private readonly nn.Module<Tensor, Tensor> second;

        public SharedLinearModel()
            : base(nameof(SharedLinearModel))
        {
            second = first;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => second.call(first.call(input));
    }
}
