using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Errors in parts of the user's own say where they arose, and every end leaves a whole model.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor _before;

    public FaultTests() => _before = _model.call(_batches[0]);

    public void Dispose()
    {
        _before.Dispose();
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(BlockInputs.Dense, int.MaxValue)]
    [InlineData(BlockInputs.Expanded, int.MaxValue)]
    [InlineData(BlockInputs.Dense, 1)]
    public void Run_PrunerThatThrows_NamesLayerAndExpert(BlockInputs withinBlock, int expertsAtOnce)
    {
        var schedule = new MemorySchedule(
            null, _model.named_modules().ToDictionary(entry => entry.name, _ => expertsAtOnce));
        var pruner = new ThrowingPruner(throwAt: "blocks.1.down", expert: 1);

        var error = Assert.Throws<PruningException>(() => Builder()
            .PruneWith(pruner, SparsityTarget.Unstructured(0.5)).WithSchedule(schedule)
            .WithOptions(new ExpansionOptions { WithinBlock = withinBlock }).Run());

        Assert.Contains("'blocks.1.down', expert 1: out of ideas", error.Message, StringComparison.Ordinal);
        Assert.IsType<NotSupportedException>(error.InnerException);
        AssertUntouched();
    }

    [Fact]
    public void Run_RouterThatThrows_NamesTheLayers()
    {
        var error = Assert.Throws<PruningException>(
            () => Builder().RouteWith(new ThrowingTrainer(failAt: "blocks.1.down")).Run());

        Assert.Contains("router failed at layer 'blocks.1.down': lost", error.Message, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public void Run_StoreThatFailsAtTheSecondBlock_LeavesTheDenseModelAndTheFirstBlock()
    {
        using FolderExpansionStore inner = FolderExpansionStore.Open(_folder.File("partial"));

        Assert.Throws<CheckpointException>(() => Builder().StoreIn(new FailingStore(inner, failAt: 1)).Run());

        Assert.Equal(1, inner.BlockCount);
        AssertUntouched();
    }

    [Fact]
    public void Run_CanceledAtEveryStep_LeavesTheModelAsItWas()
    {
        int steps = 0;
        using (ExpansionResult result = Builder().Run(new ImmediateProgress<ExpansionProgress>(_ => steps++)))
        {
            result.Revert();
        }

        for (int stop = 1; stop < steps; stop++)
        {
            using var source = new CancellationTokenSource();
            int step = 0;
            Assert.ThrowsAny<OperationCanceledException>(() => Builder().Run(new ImmediateProgress<ExpansionProgress>(_ =>
            {
                if (++step == stop)
                {
                    source.Cancel();
                }
            }), source.Token));
            AssertUntouched();
        }
    }

    private void AssertUntouched()
    {
        Assert.DoesNotContain(_model.modules(), module => module is SparseMixtureLayer);
        using Tensor after = _model.call(_batches[0]);
        Assert.True(TensorChecks.Equal(_before, after));
    }

    private ExpansionBuilder<GatedModel> Builder() => _model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches);

    /// <summary>Counts down-projections by their shape; each layer has two experts.</summary>
    private sealed class ThrowingPruner(string throwAt, int expert) : Sparsifier<TokenCountStatistic>
    {
        private int _downs;

        public override string Name => $"fails at {throwAt}";

        public override TokenCountStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures);

        protected override PrunedWeight PruneCore(
            Tensor weight, TokenCountStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            weight.shape[1] == GatedModel.Hidden && _downs++ == 2 + expert
                ? throw new NotSupportedException("out of ideas")
                : new PrunedWeight(weight.clone()) { MayKeepMore = true };
    }

    private sealed class ThrowingTrainer(string failAt) : IRouterTrainer
    {
        public string Name => "throwing";

        public IRouter Fit(
            ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) =>
            context.Group == failAt
                ? throw new InvalidOperationException("lost")
                : new SingleExpertRouter(tokens.Features);
    }

    private sealed class FailingStore(IExpansionStore inner, int failAt) : IExpansionStore
    {
        public IReadOnlyDictionary<string, string>? Settings => inner.Settings;

        public int BlockCount => inner.BlockCount;

        public void Begin(IReadOnlyDictionary<string, string> settings) => inner.Begin(settings);

        public void Add(StoredBlock block)
        {
            if (inner.BlockCount == failAt)
            {
                throw new CheckpointException("the disk is full");
            }

            inner.Add(block);
        }

        public StoredBlock Read(int block) => inner.Read(block);
    }
}
