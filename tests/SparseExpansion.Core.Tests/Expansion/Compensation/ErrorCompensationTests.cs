using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Compensation;

public sealed class ErrorCompensationTests : IDisposable
{
    private readonly GatedModel _model = new(blockCount: 3);
    private readonly Tensor[] _all = GatedModel.Batches(count: 32);
    private readonly Tensor[] _batches;

    public ErrorCompensationTests() => _batches = _all[..24];

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_all, batch => batch.Dispose());
    }

    public static TheoryData<ISparsifier> Pruners => new(
        new MagnitudeSparsifier(), new WandaSparsifier(), new SparseGptSparsifier(), new AlpsSparsifier(), new SparseGptSparsifier().WithRefit());

    [Theory]
    [MemberData(nameof(Pruners))]
    public void Run_Compensated_LosesLessOfTheModelsOutputs(ISparsifier pruner)
    {
        Tensor[] unseen = _all[24..];
        Tensor[] dense = [.. unseen.Select(_model.call)];

        double plain = Lost(builder => builder.WithOptions(new ExpansionOptions { WithinBlock = BlockInputs.Expanded })), compensated = Lost(builder => builder.CompensateErrors());

        Assert.True(compensated < 0.8 * plain, $"{compensated} against {plain}");
        Array.ForEach(dense, tensor => tensor.Dispose());

        double Lost(Func<ExpansionBuilder<GatedModel>, ExpansionBuilder<GatedModel>> configure)
        {
            using ExpansionResult result = configure(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.6))).Run();
            double lost = unseen.Zip(dense, (batch, output) =>
            {
                using var scope = NewDisposeScope();
                return (_model.call(batch) - output).Squared().sum().item<float>();
            }).Sum();
            result.Revert();
            return lost;
        }
    }

    [Fact]
    public void Run_NothingExpandedBefore_LeavesTheFirstLayersAsTheyAre()
    {
        float[][] plain = Weights(builder => builder.WithOptions(new ExpansionOptions { WithinBlock = BlockInputs.Expanded })), compensated = Weights(builder => builder.CompensateErrors());
        Assert.Equal(plain[0], compensated[0]); // gate and up of the first block
        Assert.Equal(plain[1], compensated[1]);
        Assert.NotEqual(plain[2], compensated[2]);

        float[][] Weights(Func<ExpansionBuilder<GatedModel>, ExpansionBuilder<GatedModel>> configure)
        {
            using ExpansionResult result = configure(Builder()).Run();
            float[][] weights = [.. new[] { "blocks.0.gate", "blocks.0.up", "blocks.0.down" }.Select(name =>
            {
                using Tensor weight = result.Layers[name].GetExpertWeight(0);
                return weight.data<float>().ToArray();
            })];
            result.Revert();
            return weights;
        }
    }

    [Theory]
    [InlineData(false, "blocks.2.down")]
    [InlineData(true, "blocks.2.down")]
    [InlineData(false, "head")]
    public void Run_OutputErrors_AreThoseAgainstTheDenseModel(bool whole, string name)
    {
        using Tensor dense = ActivationsOf(name), weight = _model.get_parameter($"{name}.weight")!.detach().clone();
        using ExpansionResult result = Builder(whole).Targets("blocks.*", "head").CompensateErrors().WithOptions(new ExpansionOptions { Pack = false }).Run();
        using Tensor seen = ActivationsOf(name);
        SparseMixtureLayer mixture = result.Layers[name];
        LayerReport report = result.Report.Layers.Single(layer => layer.Name == name);
        Assert.Equal(BlockInputs.Expanded, result.Report.Manifest.WithinBlock);

        using var scope = NewDisposeScope();
        Tensor routes = mixture.Route(seen);
        for (int e = 0; e < mixture.ExpertCount; e++)
        {
            Tensor own = routes.eq(Scalars.Of(e)).nonzero().flatten();
            Tensor wanted = dense.index_select(0, own).matmul(weight.t()), made = seen.index_select(0, own).matmul(mixture.GetExpertWeight(e).t());
            double error = ((wanted - made).Squared().sum() / wanted.Squared().sum()).item<float>();
            Assert.Equal(error, report.ExpertReports[e].OutputError, 1e-4);
        }
    }

    [Fact]
    public void Run_WithPadding_LeavesItOut()
    {
        Tensor mask = ones(2, 32, ScalarType.Bool);
        mask[TensorIndex.Colon, TensorIndex.Slice(20)] = false;
        using ExpansionResult result = Builder().CompensateErrors().CalibrateOn(_batches.Select(batch => new CalibrationBatch(batch, mask))).Run();
        Assert.All(result.Report.Layers, layer => Assert.Equal(24 * 2 * 20, layer.Tokens));
        mask.Dispose();
    }

    [Theory]
    [InlineData(FineTuningTarget.DenseModel)]
    [InlineData(FineTuningTarget.DenseBlock)]
    public void Run_FineTunedToo_DoesBoth(FineTuningTarget target)
    {
        using ExpansionResult result = Builder().CompensateErrors().FineTune(new FineTuningOptions { Steps = 30, Target = target, TrainNorms = true }).Run();
        Assert.All(result.Report.FineTuning, block => Assert.True(block.LossAfter <= block.LossBefore));
        Assert.Contains(nameof(ErrorCompensationOptions), result.Report.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WeightsDividedAmongExperts_KeepsTheirShares()
    {
        using ExpansionResult result = Builder().CompensateErrors().Allocate(SparsityAllocation.Experts()).Run();
        Assert.Contains(result.Report.Layers, layer => layer.ExpertReports.Select(expert => expert.Sparsity).Distinct().Count() > 1);
    }

    [Fact]
    public void Run_Repeated_LeavesNoTensor() => LeakCheck.NoTensorsLeft(() =>
    {
        using ExpansionResult result = Builder().CompensateErrors().Run();
        result.Revert();
    }, parametersDisposed: 9 + 6); // Nine layers, six of them with a bias.

    [Fact]
    public void Run_Canceled_LeavesModelAndMemoryAsTheyWere() => LeakCheck.NoTensorsLeft(() =>
    {
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Builder().CompensateErrors().Run(new CancelIn(source, block: 2), source.Token));
        Assert.DoesNotContain(_model.modules(), module => module is SparseMixtureLayer);
    }, parametersDisposed: 6 + 4); // Six layers were expanded before.

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float64)]
    public void Run_ModelOfAnotherType_KeepsIt(ScalarType type)
    {
        _model.to(type);
        Tensor[] batches = [.. _batches.Select(batch => batch.to(type))];
        using ExpansionResult result = Builder().CompensateErrors().CalibrateOn(batches).Run();
        Assert.All(result.Layers.Values, layer => Assert.Equal(type, layer.Experts.DType));
        Assert.All(result.Report.Layers, layer => Assert.InRange(layer.OutputError, 1e-6, 0.9));
        Array.ForEach(batches, batch => batch.Dispose());
    }

    [Fact]
    public void Run_LeadingBlocksWithoutTargets_AreRunNoMoreOften()
    {
        int[] calls = [.. new[] { false, true }.Select(compensate =>
        {
            int count = 0;
            var hook = _model.blocks[0].register_forward_hook((_, _, output) =>
            {
                count++;
                return output;
            });
            ExpansionBuilder<GatedModel> builder = Builder().Targets("blocks.2.*").WithOptions(new ExpansionOptions { WithinBlock = BlockInputs.Expanded });
            using ExpansionResult result = (compensate ? builder.CompensateErrors() : builder).Run();
            hook.remove();
            result.Revert();
            return count;
        })];
        Assert.Equal(calls[0], calls[1]);
        Assert.True(calls[0] >= _batches.Length);
    }

    [Theory]
    [InlineData(FineTuningTarget.DenseBlock)]
    [InlineData(FineTuningTarget.DenseModel)]
    public void Run_ProgressOfAllParts_Rises(FineTuningTarget target)
    {
        var fractions = new List<double>();
        using ExpansionResult result = Builder().Targets("blocks.0.*", "blocks.2.*").CompensateErrors().FineTune(new FineTuningOptions { Steps = 3, Target = target })
            .Run(new ImmediateProgress<ExpansionProgress>(value => fractions.Add(value.Fraction)));
        Assert.Equal(fractions.Order(), fractions);
        Assert.Equal(1, fractions[^1]);
    }

    [Fact]
    public void Run_OtherTokensInTheDenseModel_NamesTheLayer()
    {
        using var gated = new TokenChooser((_, hidden, _) => hidden.index_select(0, hidden.select(1, 0).gt(Scalars.Of(0)).nonzero().flatten()));
        var error = Assert.Throws<CalibrationException>(() => gated.Expand()
            .RouteWith(new RandomRouterTrainer(2)).PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.9))
            .CompensateErrors().CalibrateOn(_batches).Run());
        Assert.Contains("second", error.Message, StringComparison.Ordinal);
        Assert.Contains("error compensation", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Sixty tokens here and sixty there are no pairs if the calls have other numbers of them.</summary>
    [Fact]
    public void Run_TokensOnOtherCallsOfTheDenseModel_NamesTheCall()
    {
        const float Mark = 1e3f; // 40 tokens of a marked input and 20 of others; the other way round once the first layer is expanded.
        using var model = new TokenChooser((input, hidden, expanded) => hidden.narrow(0, 0, input.max().item<float>() >= Mark == expanded ? 20 : 40));
        using Tensor marked = _batches[0].clone();
        marked[0, 0, 0] = Mark;
        var error = Assert.Throws<CalibrationException>(() => model.Expand()
            .RouteWith(new RandomRouterTrainer(2)).PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5))
            .CompensateErrors().CalibrateOn([marked, _batches[1]]).Run());
        Assert.Contains("second", error.Message, StringComparison.Ordinal);
        Assert.Contains("call 0", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Validate_ImpossibleDamping_IsNamed(double damping)
    {
        var options = new ErrorCompensationOptions { Damping = damping };
        Assert.Throws<ArgumentOutOfRangeException>(nameof(options.Damping), () => Builder().CompensateErrors(options));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(options.Damping), () => Builder().WithRecipe(
            ExpansionRecipe.Published with { Compensation = options }, SparsityTarget.Unstructured(0.5)));
    }

    private ExpansionBuilder<GatedModel> Builder(bool whole = false) => (whole ? _model.Expand() : _model.Expand().Blocks(m => m.blocks))
        .Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6))
        .CalibrateOn(_batches);

    /// <summary>Inputs of a layer over all batches, [tokens, features].</summary>
    private Tensor ActivationsOf(string layer)
    {
        using var scope = NewDisposeScope();
        var module = (nn.Module<Tensor, Tensor>)_model.named_modules().Single(entry => entry.name == layer).module;
        var seen = new List<Tensor>();
        var hook = module.register_forward_pre_hook((_, input) =>
        {
            seen.Add(input.detach().reshape(-1, input.shape[^1]).clone().DetachFromDisposeScope());
            return input;
        });
        Array.ForEach(_batches, batch => _model.call(batch).Dispose());
        hook.remove();
        Tensor all = cat(seen, 0).MoveToOuterDisposeScope();
        seen.ForEach(tensor => tensor.Dispose());
        return all;
    }

    private sealed class CancelIn(CancellationTokenSource source, int block) : IProgress<ExpansionProgress>
    {
        public void Report(ExpansionProgress value)
        {
            if (value.Block == block && value.Stage == ExpansionStage.Pruning)
            {
                source.Cancel();
            }
        }
    }

    /// <summary>Two layers, of which the second gets some of the tokens.</summary>
    private sealed class TokenChooser : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> first = nn.Linear(GatedModel.Width, 8);
        private readonly nn.Module<Tensor, Tensor> second = nn.Linear(8, 4);
        private readonly Func<Tensor, Tensor, bool, Tensor> _choose;

        /// <param name="choose">
        /// From the input, the first layer's outputs [tokens, 8] and whether that layer is expanded: what the second
        /// layer gets.
        /// </param>
        public TokenChooser(Func<Tensor, Tensor, bool, Tensor> choose)
            : base(nameof(TokenChooser))
        {
            _choose = choose;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return second.call(_choose(input, first.call(input).reshape(-1, 8), first is SparseMixtureLayer)).MoveToOuterDisposeScope();
        }
    }
}
