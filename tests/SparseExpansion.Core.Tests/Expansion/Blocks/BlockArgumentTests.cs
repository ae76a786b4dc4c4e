using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Blocks that are called with more than a hidden state.</summary>
public sealed class BlockArgumentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor[] _batches;

    public BlockArgumentTests()
    {
        using var scope = NewDisposeScope();
        _batches = [.. GatedModel.Batches(count: 6, sequence: 16).SelectMany(batch => batch.split(1)).Select(row => row.clone().DetachFromDisposeScope())];
    }

    public static TheoryData<string> Features => ["plain", "expanded", "compensated", "tuned to the block", "tuned to the model", "output loss", "allocated", "all"];

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Features))]
    public void Run_BlocksWithMasks_GivesTheExpertsOfBlocksThatMakeThem(string feature)
    {
        using var same = new MaskedModel(() => new SelfMaskedBlock());
        using var masked = new MaskedModel(() => new MaskedBlock());
        using var attending = new MaskedModel(() => new AttendingBlock());
        string expected = ExpertsOf(same, feature);

        Assert.Equal(expected, ExpertsOf(masked, feature));
        Assert.Equal(expected, ExpertsOf(attending, feature));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("all")]
    public void Resume_BlocksWithMasks_GivesTheSameExperts(string feature)
    {
        using var whole = new MaskedModel(() => new MaskedBlock());
        string expected = ExpertsOf(whole, feature);
        string partial = _folder.File("partial");
        using (var model = new MaskedModel(() => new MaskedBlock()))
        using (FolderExpansionStore store = FolderExpansionStore.Open(partial))
        {
            Assert.Throws<InvalidOperationException>(() => Configure(model, feature).StoreIn(store).Run(step =>
            {
                if (store.BlockCount == 1 && step.Stage == ExpansionStage.Pruning)
                {
                    throw new InvalidOperationException("killed");
                }
            }));
            Assert.Equal(1, store.BlockCount);
        }

        using var resumed = new MaskedModel(() => new MaskedBlock());
        using FolderExpansionStore opened = FolderExpansionStore.Open(partial);
        using ExpansionResult result = Configure(resumed, feature).ResumeFrom(opened).Run();
        Assert.Equal(expected, Hash(resumed));
    }

    [Fact]
    public void Of_MaskForAllAndArgumentsOfEachBatch_KeepsTheMaskOnce()
    {
        using var model = new MaskedModel(() => new AttendingBlock(), shifts: true);
        var request = new ExpansionRequest(model) { Blocks = [Block.Of(model.blocks[0], 0)], Forward = model.call };

        using RecordedArguments recorded = RecordedArguments.Of(
            request, [.. _batches.Take(5).Select(batch => new CalibrationBatch(batch))], CPU, default);

        IReadOnlyList<Tensor?>[] arguments = [.. recorded.Batches.Select(batch => batch.Arguments!.Of(0))];
        Assert.All(arguments, own => Assert.Same(arguments[0][0], own[0]));
        Assert.Equal(5, arguments.Select(own => own[1]!.Handle).Distinct().Count());
    }

    [Fact]
    public void Of_BlockThatWorksInPlace_LeavesWhatOthersAreHanded()
    {
        using var scope = NewDisposeScope();
        Tensor kept = ones(2, 3);
        var arguments = new BlockArguments([[kept, null], [kept]]);

        arguments.Of(0, CPU)[0]!.mul_(Scalars.Of(5));

        Assert.Equal(6, kept.sum().item<float>());
        Assert.Equal(6, arguments.Of(1, CPU)[0]!.sum().item<float>());
        Assert.Null(arguments.Of(0, CPU)[1]);
    }

    [Fact]
    public void Run_MasksThatDifferFromRowToRow_EachBlockSeesThoseOfItsBatch()
    {
        using var scope = NewDisposeScope();
        using var model = new MaskedModel(() => new MaskedBlock(), MaskedModel.OfContent);
        using var reference = new MaskedModel(() => new MaskedBlock(), MaskedModel.OfContent);
        Tensor[] pairs = [cat([_batches[0], _batches[1]]), cat([_batches[2], _batches[3]]), _batches[4]];
        var pruner = new WandaSparsifier();
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        using ExpansionResult result = model.Expand().Blocks(m => m.blocks).Targets("*.query")
            .RouteWith(new SingleExpertRouterTrainer()).PruneWith(pruner, half).CalibrateOn(pairs).Run();

        // The layer comes first in its block, so the expanded model hands it what it was calibrated on.
        SparseMixtureLayer query = result.Layers["blocks.1.core.query"];
        using IActivationStatistic statistic = ((ISparsifier)pruner).CreateStatistic(
            new LayerDescriptor("query", GatedModel.Width, GatedModel.Width, CPU));
        var hook = query.register_forward_pre_hook((_, input) =>
        {
            statistic.Observe(input.reshape(-1, GatedModel.Width));
            return input;
        });
        using (no_grad())
        {
            Array.ForEach(pairs, pair => model.call(pair));
        }

        hook.remove();
        var dense = (Linear)reference.named_modules().Single(entry => entry.name == "blocks.1.core.query").module;
        using PruningResult expected = pruner.Prune(dense.weight!, statistic, half);
        Assert.True(TensorChecks.Equal(expected.Weight, query.GetExpertWeight(0)));
    }

    [Fact]
    public void Run_ThirdArgument_IsHandedOn()
    {
        using var model = new MaskedModel(() => new AttendingBlock(), shifts: true);
        var one = Assert.Throws<SparseExpansionException>(() => Configure(model, "plain").Run());
        Assert.Contains("Block 1 (blocks.1) takes an argument beside the hidden state that depends on what the blocks before it put out", one.Message, StringComparison.Ordinal);

        // What enters the first block depends on no block.
        using ExpansionResult first = Configure(model, "plain").Blocks(m => m.blocks.Take(1)).Targets("blocks.0.*").Run();
        Assert.Equal(5, first.Layers.Count);
    }

    [Fact]
    public void Run_BlocksWithMasks_LeavesNoTensors()
    {
        using var model = new MaskedModel(() => new AttendingBlock());
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using ExpansionResult result = Configure(model, "compensated").Run();
                result.Revert();
            },
            parametersDisposed: 2 * 5 * 2);
    }

    [Fact]
    public void Run_WholeBatchesAsWindows_FineTuningKeepsTheBetterState()
    {
        using var scope = NewDisposeScope();
        using var model = new MaskedModel(() => new MaskedBlock(), MaskedModel.OfContent);
        Tensor[] pairs = [.. Enumerable.Range(0, 6).Select(i => cat([_batches[2 * i], _batches[(2 * i) + 1]]))];
        using ExpansionResult result = Configure(model, "tuned to the model").CalibrateOn(pairs).Run();

        Assert.Equal(2, result.Report.FineTuning.Count);
        Assert.All(result.Report.FineTuning, block => Assert.True(block.LossAfter < block.LossBefore));
        Assert.Contains("a window is a whole batch", Assert.Throws<CalibrationException>(() =>
        {
            using var other = new MaskedModel(() => new MaskedBlock());
            Configure(other, "tuned to the model").CalibrateOn([cat(_batches)]).Run();
        }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithAMemoryBudget_SaysThatTheyDoNotGoTogether()
    {
        using var model = new MaskedModel(() => new MaskedBlock());
        ExpansionBuilder<MaskedModel> builder = Configure(model, "plain").WithMemory(
            new MemoryBudget { Bytes = 1L << 30 });
        Assert.Contains("masks", Assert.Throws<InvalidOperationException>(() => builder.PlanMemory()).Message, StringComparison.Ordinal);
        Assert.Contains(
            "masks", Assert.Throws<InvalidOperationException>(() => builder.Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_OfAnotherForm_NamesItAndTheAdapter()
    {
        using var model = new MaskedModel(() => new MaskedBlock());
        using var odd = new Bilinear(4);
        string message = Assert.Throws<ArgumentException>(() => model.Expand().Blocks(m => [m.blocks[0], odd])).Message;
        Assert.StartsWith("Block 1 is of type Bilinear (Module<Object, Tensor>).", message, StringComparison.Ordinal);
        Assert.Contains("docs/own-model.md", message, StringComparison.Ordinal);
    }

    private ExpansionBuilder<MaskedModel> Configure(MaskedModel model, string feature)
    {
        var tuning = new FineTuningOptions { Steps = 6, CheckInterval = 2, BatchWindows = 1, LearningRate = 1e-3, HoldOut = 0.2 };
        ExpansionBuilder<MaskedModel> builder = model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
            .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null }).PruneWith(
                new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn(_batches).WithSeed(2);
        return feature switch
        {
            "expanded" => builder.WithOptions(new ExpansionOptions { WithinBlock = BlockInputs.Expanded, Seed = 2 }),
            "compensated" => builder.CompensateErrors(),
            "tuned to the block" => builder.FineTune(tuning with { Target = FineTuningTarget.DenseBlock }),
            "tuned to the model" => builder.FineTune(tuning with { Target = FineTuningTarget.DenseModel }),
            "output loss" => builder.FineTune(tuning with { OutputLoss = FineTuningLoss.KullbackLeibler }),
            "allocated" => builder.Allocate(SparsityAllocation.OutputError()),
            "all" => builder.CompensateErrors().RefineRouter().FineTune(tuning with { OutputLoss = FineTuningLoss.KullbackLeibler }),
            _ => builder,
        };
    }

    private string ExpertsOf(MaskedModel model, string feature)
    {
        using ExpansionResult result = Configure(model, feature).Run();
        return Hash(model);
    }

    private static string Hash(MaskedModel model) => TensorHash.OfState(model.state_dict());

    private sealed class Bilinear(long width) : nn.Module<object, Tensor>(nameof(Bilinear))
    {
        public override Tensor forward(object input) => zeros(width);
    }
}
