using SparseExpansion.Calibration;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

public sealed class OutputLossTests : IDisposable
{
    private static readonly FineTuningOptions s_options = new() { Steps = 40, CheckInterval = 10, HoldOut = 0.25 };

    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches(count: 12);

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void KullbackLeibler_AgainstItsDefinitionInFloat64_IsTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor outputs = randn(3, 4, 7), dense = randn(3, 4, 7);
        Tensor p = nn.functional.softmax(dense.to(ScalarType.Float64), -1),
            q = nn.functional.softmax(outputs.to(ScalarType.Float64), -1);
        double expected = (p * (p.log() - q.log())).sum().item<double>() / 12;

        Assert.Equal(expected, FineTuningLoss.KullbackLeibler.Compute(outputs, dense).item<float>(), 1e-5);
        Assert.Equal(0, FineTuningLoss.KullbackLeibler.Compute(dense.Plus(3), dense).item<float>(), 1e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Tail_WithTheBlocksOwnOutput_GivesTheModelsOutput(int block)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = _batches[0];
        for (int b = 0; b <= block; b++)
        {
            hidden = _model.blocks[b].call(hidden);
        }

        var tail = new ModelTail(_model.call, Block.Of(_model.blocks[block], block));
        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), tail.Run(_batches[0], hidden)));
        Assert.True(TensorChecks.Equal(tail.Run(_batches[0], hidden), tail.Run(_batches[1], hidden)), "What comes before does not count.");
    }

    [Fact]
    public void Tail_Gradient_IsThatOfWhatComesAfter()
    {
        using var scope = NewDisposeScope();
        Tensor hidden = rand(2, 32, GatedModel.Width, requires_grad: true);
        var tail = new ModelTail(_model.call, Block.Of(_model.blocks[1], 1));

        tail.Run(_batches[0], hidden).sum().backward();

        Tensor expected = _model.get_parameter("head.weight")!.detach().sum([0L]).expand(2, 32, GatedModel.Width);
        Assert.True(hidden.grad!.allclose(expected, 1e-5, 1e-6));
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.shape[^1] == 3 || parameter.shape[0] == 3 || parameter.grad is null));
        Assert.True(is_grad_enabled());
        using (no_grad())
        {
            Assert.False(tail.Run(_batches[0], hidden).requires_grad);
            Assert.False(is_grad_enabled());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shorten_IsDoneWhereTheModelDoesNotLookAtItsInputAgain(bool looksAgain)
    {
        using var scope = NewDisposeScope();
        Func<Tensor, Tensor> forward = looksAgain ? input =>
            _model.call(input).Plus(Scalars.Of(0.1) * input.sum([1L], keepdim: true).narrow(2, 0, 3)) : _model.call;
        CalibrationBatch[] batches = [.. _batches.Select(batch => new CalibrationBatch(batch))];
        var windows = new TuningWindows(CPU, batches, [.. batches.Select(batch => new CalibrationBatch(_model.blocks[1].call(batch.Input).detach()))], batches);
        Block second = Block.Of(_model.blocks[1], 1);
        ModelTail whole = new(forward, second), tail = new(forward, second);

        tail.Shorten(windows, 5, default);

        Assert.Equal(!looksAgain, tail.IsShort);
        Tensor hidden = randn(2, 32, GatedModel.Width);
        Assert.True(TensorChecks.Equal(whole.Run(_batches[3], hidden), tail.Run(_batches[3], hidden)));
    }

    /// <summary>Native and managed errors: one position alone cannot be reshaped to all, or is refused.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shorten_ModelThatFailsOnOnePosition_IsRunAsAWhole(bool managed)
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] batches = [.. _batches.Select(batch => new CalibrationBatch(batch))];
        var windows = new TuningWindows(CPU, batches, batches, batches);
        var tail = new ModelTail(
            input => managed && input.shape[1] < 32 ? throw new ArgumentException("too short") : _model.call(input).reshape(input.shape[0], input.shape[1], 3), Block.Of(_model.blocks[1], 1));
        tail.Shorten(windows, 5, default);
        Assert.False(tail.IsShort);
    }

    [Fact]
    public void Shorten_ModelThatFailsOnAll_SaysSo()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] batches = [.. _batches.Select(batch => new CalibrationBatch(batch))];
        var tail = new ModelTail(_ => throw new InvalidDataException("broken"), Block.Of(_model.blocks[1], 1));
        Assert.Throws<InvalidDataException>(
            () => tail.Shorten(new TuningWindows(CPU, batches, batches, batches), 5, default));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Run_LossOfTheLastUnit_IsThatOfTheModelsOutputs(bool blocks, bool pack)
    {
        Tensor[] heldOut = _batches[9..];
        Tensor[] dense = [.. heldOut.Select(_model.call)];
        FineTuningOptions still = s_options with { Steps = 1, LearningRate = 1e-30, OutputLoss = FineTuningLoss.KullbackLeibler };
        using ExpansionResult result = Builder(blocks).WithOptions(new ExpansionOptions { Pack = pack }).FineTune(still).Run();

        using var scope = NewDisposeScope();
        double expected = FineTuningLoss.KullbackLeibler.Compute(cat([.. heldOut.Select(_model.call)]), cat(dense)).item<float>();
        Assert.Equal(expected, result.Report.FineTuning[^1].LossBefore, 1e-4);
        Array.ForEach(dense, tensor => tensor.Dispose());
    }

    [Fact]
    public void Run_OutputLoss_ChangesTheLastBlockOnly()
    {
        ExpansionReport plain = Run(s_options),
            tuned = Run(s_options with { OutputLoss = FineTuningLoss.KullbackLeibler });
        Assert.Equal(plain.FineTuning[0], tuned.FineTuning[0]);
        Assert.True(tuned.FineTuning[1].LossAfter < 0.9 * tuned.FineTuning[1].LossBefore, $"{tuned.FineTuning[1]}");
        Assert.NotEqual(plain.FineTuning[1].LossBefore, tuned.FineTuning[1].LossBefore);
        Assert.Contains("Kullback-Leibler", tuned.Manifest.Settings, StringComparison.Ordinal);

        ExpansionReport Run(FineTuningOptions options)
        {
            using ExpansionResult result = Builder().FineTune(options).Run();
            result.Revert();
            return result.Report;
        }
    }

    [Fact]
    public void Run_WithPadding_LeavesItOut()
    {
        Tensor mask = ones(2, 32, ScalarType.Bool);
        mask[TensorIndex.Colon, TensorIndex.Slice(20)] = false;
        using ExpansionResult result = Builder().CalibrateOn(
            _batches.Select(batch => new CalibrationBatch(batch, mask)))
            .FineTune(s_options with
            {
                OutputLoss = FineTuningLoss.From("shape", (outputs, _) =>
            {
                Assert.Equal(0, outputs.shape[0] % 20);
                Assert.Equal(2, outputs.Dimensions);
                return outputs.Squared().mean();
            })
            }).Run();
        mask.Dispose();
    }

    /// <summary>A mean over no positions would be NaN.</summary>
    [Fact]
    public void Run_SequencesThatAreAllPadding_AreLeftOut()
    {
        Tensor mask = ones(2, 32, ScalarType.Bool);
        mask[0] = false;
        using ExpansionResult result = Builder().CalibrateOn(
            _batches.Select(batch => new CalibrationBatch(batch, mask)))
            .FineTune(s_options with { BatchWindows = 1, Loss = FineTuningLoss.KullbackLeibler, OutputLoss = FineTuningLoss.KullbackLeibler }).Run();
        Assert.All(result.Report.FineTuning, block => Assert.True(block.LossAfter < block.LossBefore, $"{block}"));
        Assert.All(result.Report.FineTuning, block => Assert.Equal("Kullback-Leibler divergence", block.Loss));
        Assert.All(result.Report.Layers, layer => Assert.Equal(9 * 32, layer.Tokens)); // One sequence of each batch, a quarter of them held out.
        mask.Dispose();
    }

    [Fact]
    public void Windows_OfAModelThatTakesOthers_AreRefused()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] hidden = [new(zeros(4, 3, 2))], inputs = [new(zeros(2, 3))];
        var error = Assert.Throws<SparseExpansionException>(() => new TuningWindows(CPU, hidden, hidden, inputs));
        Assert.Contains(nameof(FineTuningOptions.OutputLoss), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Repeated_LeavesNoTensor() => LeakCheck.NoTensorsLeft(() =>
    {
        using ExpansionResult result = Builder()
            .FineTune(s_options with { Steps = 2, OutputLoss = FineTuningLoss.KullbackLeibler }).Run();
        result.Revert();
    }, parametersDisposed: 6 + 4); // Six layers, four of them with a bias.

    private ExpansionBuilder<GatedModel> Builder(bool blocks = true) =>
        (blocks ? _model.Expand().Blocks(m => m.blocks) : _model.Expand())
        .Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.6))
        .CalibrateOn(_batches);
}
