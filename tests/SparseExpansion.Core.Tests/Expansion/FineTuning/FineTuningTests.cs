using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

public sealed class FineTuningTests : IDisposable
{
    private static readonly FineTuningOptions s_options = new() { Steps = 60, CheckInterval = 10, LearningRate = 3e-3 };

    /// <summary>Two of 24 windows.</summary>
    private const double LastBatch = 1 / 12.0;

    private readonly NormedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches(count: 12);

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Theory]
    [InlineData(FineTuningTarget.DenseBlock, true)]
    [InlineData(FineTuningTarget.DenseModel, true)]
    [InlineData(FineTuningTarget.DenseModel, false)]
    public void FineTune_Blocks_LowersTheHeldOutLossAndTheModelsError(FineTuningTarget target, bool norms)
    {
        double plain = Error(Builder());
        using var dense = _model.call(_batches[0]);

        using ExpansionResult result = Builder().FineTune(s_options with { Target = target, TrainNorms = norms }).Run();

        Assert.Equal([0, 1], result.Report.FineTuning.Select(block => block.Block));
        Assert.All(result.Report.FineTuning, block =>
        {
            Assert.True(block.LossAfter < 0.9 * block.LossBefore, $"{block}");
            Assert.InRange(block.KeptStep, 1, block.Steps);
        });
        result.Revert();
        using Tensor reverted = _model.call(_batches[0]);
        Assert.True(reverted.equal(dense).all().item<bool>(), "Revert gives the dense model back, norms included.");
        Assert.True(Error(Builder().FineTune(s_options with { Target = target, TrainNorms = norms })) < 0.9 * plain);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void FineTune_Masks_StayExactly(bool structured, bool pack)
    {
        SparsityTarget target = structured ? SparsityTarget.NM(2, 4) : SparsityTarget.Unstructured(0.6);
        using var other = new NormedModel();
        var options = new ExpansionOptions { Pack = pack };
        using ExpansionResult plain = Configure(other.Expand(), target).WithOptions(options).CalibrateOn(_batches[..^1]).Run();
        using ExpansionResult tuned = Configure(_model.Expand(), target).WithOptions(options)
            .FineTune(s_options with { HoldOut = LastBatch }).Run();

        using var scope = NewDisposeScope();
        foreach (string name in plain.Layers.Keys.Where(name => name.StartsWith("blocks.0", StringComparison.Ordinal)))
        {
            SparseMixtureLayer layer = tuned.Layers[name];
            Assert.Equal(pack, layer.IsPacked);
            for (int e = 0; e < layer.ExpertCount; e++)
            {
                (Tensor before, Tensor after) = (plain.Layers[name].GetExpertWeight(e), layer.GetExpertWeight(e));
                Assert.Equal(0, (before.eq(Scalars.Of(0)) & after.ne(Scalars.Of(0))).sum().item<long>());
                Assert.True((before - after).abs().sum().item<float>() > 0);
            }
        }

        Assert.Equal(pack ? 0 : 4, _model.parameters().Count(parameter => parameter.dim() == 3));
        Assert.All(_model.parameters(), parameter => Assert.False(parameter.requires_grad && parameter.dim() == 3));
    }

    [Fact]
    public void FineTune_OneSeed_IsDeterministic()
    {
        using var scope = NewDisposeScope();
        Tensor first = Run(4), second = Run(4), other = Run(5);
        Assert.True(first.equal(second).all().item<bool>());
        Assert.False(first.equal(other).all().item<bool>());

        Tensor Run(long seed)
        {
            using ExpansionResult result = Builder().RouteWith(new SingleExpertRouterTrainer()).FineTune(s_options)
                .WithSeed(seed).Run();
            using var noGrad = no_grad();
            Tensor output = _model.call(_batches[0]);
            result.Revert();
            return output;
        }
    }

    [Fact]
    public void FineTune_NothingImproves_KeepsTheStart()
    {
        using var scope = NewDisposeScope();
        var expected = new List<Tensor>();
        using (ExpansionResult plain = Builder().CalibrateOn(_batches[..^1]).Run())
        {
            expected.AddRange(plain.Layers.Values.Select(layer => layer.GetExpertWeight(0)));
            plain.Revert();
        }

        using ExpansionResult result = Builder().FineTune(s_options with { HoldOut = LastBatch, LearningRate = 1e3, CheckInterval = 2, Patience = 2 }).Run();

        Assert.All(result.Report.FineTuning, block => Assert.Equal((4, 0, block.LossBefore), (block.Steps, block.KeptStep, block.LossAfter)));
        Assert.All(expected.Zip(result.Layers.Values), pair => Assert.True(pair.First.equal(pair.Second.GetExpertWeight(0)).all().item<bool>()));
    }

    [Fact]
    public void FineTune_OwnLoss_IsCalledWithoutPaddingAndMinimized()
    {
        using var scope = NewDisposeScope();
        var shapes = new HashSet<(long, long)>();
        IFineTuningLoss loss = FineTuningLoss.From("mean absolute error", (outputs, dense) =>
        {
            Assert.Equal(outputs.shape, dense.shape);
            Assert.False(dense.requires_grad);
            shapes.Add((outputs.dim(), outputs.shape[^1]));
            return (outputs - dense).abs().mean();
        });
        Tensor mask = ones(2, _batches[0].shape[1], ScalarType.Bool);
        mask[1, 20..] = false;

        using ExpansionResult result = Builder().CalibrateOn(
            _batches.Select(batch => new CalibrationBatch(batch, mask)))
            .FineTune(s_options with { Loss = loss }).Run();

        Assert.Equal([(2, GatedModel.Width)], shapes);
        Assert.All(result.Report.FineTuning, block => Assert.True(block.LossAfter < block.LossBefore));
        Assert.Contains("mean absolute error", result.Report.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void FineTune_LossThatIsNoScalar_IsNamedAndUndone()
    {
        using Tensor before = _model.call(_batches[0]);
        SparseExpansionException error = Assert.ThrowsAny<SparseExpansionException>(() => Builder()
            .FineTune(s_options with { Loss = FineTuningLoss.From("squares", (outputs, dense) => (outputs - dense).Squared()) }).Run());
        Assert.Contains("scalar", error.Message, StringComparison.Ordinal);
        Assert.Contains("block 0", error.Message, StringComparison.Ordinal);
        using Tensor after = _model.call(_batches[0]);
        Assert.True(after.equal(before).all().item<bool>());
    }

    [Fact]
    public void FineTune_Canceled_LeavesTheDenseModel()
    {
        using Tensor before = _model.call(_batches[0]);
        using var cancel = new CancellationTokenSource();
        var progress = new ImmediateProgress<ExpansionProgress>(step =>
        {
            if (step.Stage == ExpansionStage.FineTuning && step is { Block: 1, Fraction: > 0.8 })
            {
                cancel.Cancel();
            }
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Builder().FineTune(s_options).Run(progress, cancel.Token));
        using Tensor after = _model.call(_batches[0]);
        Assert.True(after.equal(before).all().item<bool>());
        Assert.Empty(_model.modules().OfType<SparseMixtureLayer>());
    }

    [Fact]
    public void FineTune_OneWindow_IsRefusedBeforeAnyWork()
    {
        using Tensor one = _batches[0].narrow(0, 0, 1);
        Assert.Throws<CalibrationException>(() => Builder().CalibrateOn([one]).FineTune().Run());
    }

    [Fact]
    public void FineTune_WholeModelOnRows_Works()
    {
        using var scope = NewDisposeScope();
        Tensor[] rows = [.. _batches.Select(batch => batch.reshape(-1, GatedModel.Width))];
        using ExpansionResult result = _model.Expand().WithRecipe(
            ExpansionRecipe.Fast, SparsityTarget.Unstructured(0.5))
            .CalibrateOn(rows).FineTune(s_options).Run();
        BlockFineTuning whole = Assert.Single(result.Report.FineTuning);
        Assert.True(whole.LossAfter < whole.LossBefore);
    }

    [Fact]
    public void FineTune_NormThatBlocksShare_StaysAsItIs()
    {
        using var model = new NormedModel(sharedNorm: true);
        using Tensor before = model.call(_batches[0]), norm = model.blocks[0].norm.weight!.clone();

        using ExpansionResult result = Configure(model.Expand(), SparsityTarget.Unstructured(0.6)).FineTune(s_options).Run();

        Assert.True(norm.equal(model.blocks[0].norm.weight!).all().item<bool>());
        result.Revert();
        using Tensor after = model.call(_batches[0]);
        Assert.True(after.equal(before).all().item<bool>());
    }

    [Fact]
    public void CountStray_PrunedWeightThatCameBack_IsSeenUntilFreeze()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Configure(_model.Expand(), SparsityTarget.Unstructured(0.6))
            .WithOptions(new ExpansionOptions { Pack = false }).Run();
        SparseMixtureLayer layer = result.Layers.Values.First();
        var experts = (MaskedDenseExperts)layer.Experts;
        Tensor weight = layer.Unfreeze()[0];
        Assert.Equal(0, experts.CountStray());
        using (no_grad())
        {
            weight.PlusInPlace(1);
        }

        Assert.True(experts.CountStray() > 0);
        layer.Freeze();
        Assert.Equal(0, experts.CountStray());
    }

    [Fact]
    public void FineTune_AndRevert_LeavesNoTensors() => LeakCheck.NoTensorsLeft(
        () =>
        {
            using ExpansionResult result = Builder().FineTune(s_options with { Steps = 4, CheckInterval = 2 }).Run();
            result.Revert();
        },
        parametersDisposed: 4 + 4); // Four layers with a bias.

    [Theory]
    [InlineData(nameof(FineTuningOptions.Steps))]
    [InlineData(nameof(FineTuningOptions.LearningRate))]
    [InlineData(nameof(FineTuningOptions.BatchWindows))]
    [InlineData(nameof(FineTuningOptions.HoldOut))]
    [InlineData(nameof(FineTuningOptions.CheckInterval))]
    [InlineData(nameof(FineTuningOptions.Patience))]
    [InlineData(nameof(FineTuningOptions.Target))]
    public void FineTune_OptionOutOfRange_IsNamed(string property)
    {
        FineTuningOptions bad = property switch
        {
            nameof(FineTuningOptions.Steps) => new() { Steps = 0 },
            nameof(FineTuningOptions.LearningRate) => new() { LearningRate = double.NaN },
            nameof(FineTuningOptions.BatchWindows) => new() { BatchWindows = 0 },
            nameof(FineTuningOptions.HoldOut) => new() { HoldOut = 0.6 },
            nameof(FineTuningOptions.CheckInterval) => new() { CheckInterval = 0 },
            nameof(FineTuningOptions.Patience) => new() { Patience = 0 },
            _ => new() { Target = (FineTuningTarget)7 },
        };
        Assert.Equal(
            property, Assert.Throws<ArgumentOutOfRangeException>(() => _model.Expand().FineTune(bad)).ParamName);
    }

    private ExpansionBuilder<NormedModel> Builder() => Configure(_model.Expand(), SparsityTarget.Unstructured(0.6));

    private ExpansionBuilder<NormedModel> Configure(ExpansionBuilder<NormedModel> builder, SparsityTarget target) => builder
        .Blocks(m => m.blocks).RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null })
        .PruneWith(new WandaSparsifier(), target).CalibrateOn(_batches);

    /// <summary>Distance to the dense model on inputs that took no part, relative.</summary>
    private double Error(ExpansionBuilder<NormedModel> builder)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor fresh = cat(GatedModel.Batches(count: 20)[12..]);
        Tensor dense = _model.call(fresh);
        using ExpansionResult result = builder.Run();
        double error = ((_model.call(fresh) - dense).Squared().sum() / dense.Squared().sum()).item<float>();
        result.Revert();
        return error;
    }
}
