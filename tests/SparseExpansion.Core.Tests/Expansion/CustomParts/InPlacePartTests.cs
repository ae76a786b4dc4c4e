using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>
/// Parts of a user's own may work in place on what they are handed, or are found out; the dense model and the data stay
/// what they are.
/// </summary>
public sealed class InPlacePartTests : CustomPartTestBase
{
    private static readonly SparsityTarget s_half = SparsityTarget.Unstructured(0.5);

    private static readonly ScriptedPruner s_behaved = new(
        (weight, mask) => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(0))));

    private static readonly ScriptedPruner s_inPlace = new(
        (weight, mask) => new PrunedWeight(weight.masked_fill_(mask, Scalars.Of(0))));

    [Theory]
    [InlineData("plain")]
    [InlineData("compensation")]
    [InlineData("allocation")]
    [InlineData("experts")]
    [InlineData("refinement")]
    [InlineData("refit")]
    [InlineData("quantization")]
    public void Run_PrunerThatWritesToItsWeight_GivesTheExpertsOfOneThatDoesNot(string with)
    {
        AssertSame(Builder(s_behaved), Builder(s_inPlace));

        ExpansionBuilder<GatedModel> Builder(ISparsifier pruner) => with switch
        {
            "compensation" => this.Builder().PruneWith(pruner, s_half).CompensateErrors(),
            "allocation" => this.Builder().PruneWith(pruner, s_half).Allocate(SparsityAllocation.OutputError()),
            "experts" => this.Builder().PruneWith(pruner, s_half).Allocate(SparsityAllocation.Experts()),
            "refinement" => this.Builder().PruneWith(pruner, s_half).RefineRouter(new RouterRefinementOptions { Rounds = 1 }),
            "refit" => this.Builder().PruneWith(pruner.WithRefit(), s_half),
            "quantization" => this.Builder().PruneWith(pruner.WithQuantization(), s_half),
            _ => this.Builder().PruneWith(pruner, s_half),
        };
    }

    [Fact]
    public void Run_PrunerThatWrapsAnotherAndWritesToItsWeight_LeavesTheDenseModel()
    {
        using ExpansionResult result = Builder().PruneWith(new ZeroingWrapper(), s_half).Run();
        result.Revert();
        AssertUntouched();
    }

    [Fact]
    public void Run_PrunerThatWritesToItsStatistic_IsFound()
    {
        var pruner = new ScriptedPruner(
            (weight, mask) => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(0))),
            statistic => statistic.SquaredNorms.mul_(Scalars.Of(2)));

        Fails(Builder().PruneWith(pruner, s_half), "'blocks.0.gate', expert 0", "'scripted' (ScriptedPruner) changed the ColumnNormStatistic", "clone()");
    }

    [Fact]
    public void Run_PrunerThatWrapsAnotherAndWritesToItsStatistic_IsFound() => Fails(
        Builder().PruneWith(new ZeroingWrapper(statistic: true), s_half), "'blocks.0.gate', expert 0",
        "'zeroing' (ZeroingWrapper) changed the ColumnNormStatistic");

    [Fact]
    public void Run_TrainerThatWritesToItsTokens_GivesTheExpertsOfOneThatDoesNot() =>
        AssertSame(Builder().RouteWith(new CenteringTrainer(inPlace: false)), Builder().RouteWith(new CenteringTrainer(inPlace: true)));

    [Fact]
    public void Run_RouterThatWritesToItsTokens_GivesTheExpertsOfOneThatDoesNot()
    {
        using Tensor input = Batches[0].clone();
        AssertSame(
            Builder().RouteWith(new SignTrainer(inPlace: false)), Builder().RouteWith(new SignTrainer(inPlace: true)));
        using ExpansionResult result = Builder().RouteWith(new SignTrainer(inPlace: true)).Run();

        result.Layers["blocks.0.gate"].call(input).Dispose();
        result.Layers["blocks.0.gate"].Route(input).Dispose();

        Assert.True(TensorChecks.Equal(Batches[0], input));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_StatisticThatWritesToItsTokens_GivesTheExpertsOfOneThatDoesNot(bool refit)
    {
        ISparsifier Pruner(bool inPlace) =>
            refit ? new SquaringPruner(inPlace).WithRefit() : new SquaringPruner(inPlace);

        AssertSame(
            Builder().PruneWith(Pruner(inPlace: false), s_half).Allocate(SparsityAllocation.OutputError()),
            Builder().PruneWith(Pruner(inPlace: true), s_half).Allocate(SparsityAllocation.OutputError()));
    }

    [Fact]
    public void Run_LossThatWritesToOutputsAndTargets_TrainsAsOneThatDoesNot()
    {
        var options = new FineTuningOptions { Steps = 8, CheckInterval = 4, HoldOut = 0.25 };
        IFineTuningLoss behaved = FineTuningLoss.From("mean", (outputs, dense) => (outputs - dense).Squared().mean());
        IFineTuningLoss inPlace = FineTuningLoss.From(
            "mean", (outputs, dense) => outputs.sub_(dense.mul_(Scalars.Of(1))).pow_(Scalars.Of(2)).mean());

        AssertSame(
            Builder().FineTune(options with { Loss = behaved }), Builder().FineTune(options with { Loss = inPlace }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_ModelThatWritesToItsInput_SeesTheSameInputInEveryPass(bool blocks)
    {
        using var scope = NewDisposeScope();
        using var behaved = new DoublingModel(inPlace: false);
        using var inPlace = new DoublingModel(inPlace: true);
        inPlace.load_state_dict(behaved.state_dict());
        Tensor[] copies = [.. Batches.Select(batch => batch.clone())];

        Dictionary<string, Tensor> expected = Expand(behaved), experts = Expand(inPlace);

        Assert.All(Batches.Zip(copies), pair => Assert.True(TensorChecks.Equal(pair.First, pair.Second)));
        Assert.Equal(6, expected.Count);
        Assert.All(expected, entry => Assert.True(TensorChecks.Equal(entry.Value, experts[entry.Key]), entry.Key));

        Dictionary<string, Tensor> Expand(DoublingModel model)
        {
            ExpansionBuilder<DoublingModel> builder = model.Expand().RouteWith(new RandomRouterTrainer(2))
                .PruneWith(new SparseGptSparsifier(), s_half).CalibrateOn(Batches)
                .FineTune(new FineTuningOptions { Steps = 4, CheckInterval = 2, HoldOut = 0.25, OutputLoss = FineTuningLoss.RelativeSquaredError });
            using ExpansionResult result = (blocks ? builder.Blocks(m => m.Layers) : builder).Run();
            return result.Layers.SelectMany(layer => Enumerable.Range(0, 2).Select(e => ($"{layer.Key} {e}", layer.Value.GetExpertWeight(e)))).ToDictionary();
        }
    }

    private sealed class ZeroingWrapper(bool statistic = false) : ISparsifier
    {
        private readonly WandaSparsifier _inner = new();

        public string Name => "zeroing";

        public IActivationStatistic CreateStatistic(LayerDescriptor layer) => _inner.CreateStatistic(layer);

        public PruningResult Prune(Tensor weight, IActivationStatistic norms, SparsityTarget target, CancellationToken cancellationToken = default)
        {
            PruningResult result = _inner.Prune(weight, norms, target, cancellationToken);
            weight.zero_();
            if (statistic)
            {
                ((ColumnNormStatistic)norms).SquaredNorms.zero_();
            }

            return result;
        }
    }

    private sealed class CenteringTrainer(bool inPlace) : IRouterTrainer
    {
        public string Name => "centering";

        public IRouter Fit(
            ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
        {
            using var scope = NewDisposeScope();
            Tensor sum = zeros(tokens.Features);
            foreach (Tensor chunk in tokens.ReadChunks(16, context.Device))
            {
                Tensor mean = chunk.mean([0L], keepdim: true);
                sum.PlusInPlace((inPlace ? chunk.sub_(mean) : chunk.sub(mean)).abs().sum([0L]));
            }

            Tensor some = tokens.Gather([0, 1, 2], context.Device);
            return new LinearRouter(stack([sum, some.select(0, 2)]), zeros(2));
        }
    }

    private sealed class SignTrainer(bool inPlace) : IRouterTrainer
    {
        public string Name => "sign";

        public IRouter Fit(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) => new SignRouter(tokens.Features, inPlace);
    }

    private sealed class SignRouter(int features, bool inPlace) : IRouter
    {
        public int ExpertCount => 2;

        public int InputFeatures => features;

        public Tensor Route(Tensor tokens)
        {
            using var scope = NewDisposeScope();
            Tensor signs = inPlace ? tokens.sign_() : tokens.sign();
            return signs.select(1, 0).gt(Scalars.Of(0)).to(ScalarType.Int64).MoveToOuterDisposeScope();
        }

        public void Dispose()
        {
        }
    }

    private sealed class SquaringPruner(bool inPlace) : Sparsifier<SquaringStatistic>
    {
        public override string Name => "squaring";

        public override SquaringStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures, inPlace);

        protected override PrunedWeight PruneCore(
            Tensor weight, SquaringStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            new(weight.masked_fill(LowestScores(weight.abs() * statistic.Sums.sqrt(), target, SparsityScope.Row), Scalars.Of(0)));
    }

    private sealed class SquaringStatistic(int features, bool inPlace) : IActivationStatistic
    {
        public Tensor Sums { get; } = zeros(features).DetachFromDisposeScope();

        public long TokenCount { get; private set; }

        public void Observe(Tensor tokens)
        {
            using var scope = NewDisposeScope();
            Sums.PlusInPlace((inPlace ? tokens.pow_(Scalars.Of(2)) : tokens.pow(Scalars.Of(2))).sum([0L]));
            TokenCount += tokens.shape[0];
        }

        public void Merge(IActivationStatistic other)
        {
            Sums.PlusInPlace(((SquaringStatistic)other).Sums);
            TokenCount += other.TokenCount;
        }

        public void Dispose() => Sums.Dispose();
    }

    /// <summary>Three layers that double what they are called with, in place or not, before they use it.</summary>
    private sealed class DoublingModel : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.ModuleList<nn.Module<Tensor, Tensor>> layers;

        public DoublingModel(bool inPlace)
            : base(nameof(DoublingModel))
        {
            layers = nn.ModuleList<nn.Module<Tensor, Tensor>>(
                [.. Enumerable.Range(0, 3).Select(_ => new DoublingLayer(inPlace))]);
            RegisterComponents();
        }

        public IEnumerable<nn.Module<Tensor, Tensor>> Layers => layers;

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return layers.Aggregate(input, (hidden, layer) => layer.call(hidden)).MoveToOuterDisposeScope();
        }
    }

    private sealed class DoublingLayer : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> linear = nn.Linear(GatedModel.Width, GatedModel.Width);
        private readonly bool _inPlace;

        public DoublingLayer(bool inPlace)
            : base(nameof(DoublingLayer))
        {
            _inPlace = inPlace;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            Tensor doubled = _inPlace ? input.mul_(Scalars.Of(2)) : input.mul(Scalars.Of(2));
            return linear.call(doubled).mul(Scalars.Of(0.5)).MoveToOuterDisposeScope();
        }
    }
}
