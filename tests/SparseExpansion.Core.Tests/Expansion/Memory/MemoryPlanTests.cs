using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Memory;

/// <summary>Tests of the counts in a plan.</summary>
public sealed class MemoryPlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void Plan_TighterBudgets_SpillThenCutExperts()
    {
        using var model = nn.Sequential(nn.Linear(1024, 1024));
        using Tensor batch = zeros(1, 512, 1024);
        long roomy = Plan(null).PeakBytes;
        ExpansionMemoryPlan unlimited = Plan(roomy);
        ExpansionMemoryPlan tight = Plan(roomy - 1);
        ExpansionMemoryPlan tightest = Plan(unlimited.LeastBytes);

        Assert.Equal((false, 4), (unlimited.SpillsActivations, unlimited.ExpertsAtOnce));
        Assert.Equal((true, 4), (tight.SpillsActivations, tight.ExpertsAtOnce));
        Assert.True(tight.PeakBytes < roomy);
        Assert.Equal((true, 1), (tightest.SpillsActivations, tightest.ExpertsAtOnce));
        Assert.Equal(8, tightest.Stages.Single(stage => stage.Name == "pruning").Passes);
        Assert.All(tightest.Stages, stage => Assert.True(stage.Bytes > 0, stage.Name));
        Assert.Contains("pruning", tightest.ToString(), StringComparison.Ordinal);
        Assert.True(tightest.Seconds > 0);

        ExpansionMemoryPlan Plan(long? bytes)
        {
            var builder = model.Expand()
                .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = 32 })
                .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
                .CalibrateOn([batch, batch, batch, batch]);
            return (bytes is null ? builder : builder.WithMemory(new MemoryBudget { Bytes = bytes.Value }))
                .PlanMemory();
        }
    }

    [Fact]
    public void Plan_LayerOutsideTheBlocks_CountsDenseExpertsOfAllBlocks()
    {
        using var model = new GatedModel(blockCount: 6);
        using var larger = new GatedModel(blockCount: 7);
        long block = larger.blocks[0].parameters().Sum(parameter => parameter.numel()) * sizeof(float);

        long more = Configure(larger).Targets("*").PlanMemory().ResidentBytes - Configure(model).Targets("*")
            .PlanMemory().ResidentBytes;

        Assert.Equal(block + (4L * sizeof(float) * 3 * GatedModel.Width * GatedModel.Hidden), more);
    }

    [Theory]
    [InlineData(false, ScalarType.Float32)]
    [InlineData(true, ScalarType.Float64)]
    public void Plan_ExpertsThatAreNotPacked_CountAsDenseInMemory(bool pack, ScalarType dtype)
    {
        using var model = new GatedModel(blockCount: 3);
        model.to(dtype);
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));
        ExpansionBuilder<GatedModel> builder = Configure(model).StoreIn(store)
            .WithOptions(new ExpansionOptions { Pack = pack }).WithMemory(new MemoryBudget { Bytes = 4L << 30 });
        using var packed = new GatedModel(blockCount: 3);
        ExpansionMemoryPlan mapped = Configure(packed).StoreIn(store).WithMemory(new MemoryBudget { Bytes = 4L << 30 })
            .PlanMemory();

        long block = 4L * 3 * GatedModel.Width * GatedModel.Hidden * (dtype == ScalarType.Float64 ? 8 : 4);
        Assert.True(builder.PlanMemory().ResidentBytes >= mapped.ResidentBytes + (2 * block));
    }

    [Fact]
    public void Plan_RefinedRouter_CountsTheTokensThatItLearnsFrom()
    {
        using var model = new GatedModel();
        Assert.Equal(3L * sizeof(float) * 512 * GatedModel.Hidden, Trials(1_024) - Trials(512));

        long Trials(int tokens)
        {
            using Tensor batch = zeros(64, 32, GatedModel.Width);
            return Configure(model).CalibrateOn([batch])
                .RefineRouter(new RouterRefinementOptions { FitTokens = tokens }).PlanMemory()
                .Stages.Single(stage => stage.Name == "trials").Bytes;
        }
    }

    [Fact]
    public void Plan_Alps_CountsMoreThanSparseGpt()
    {
        using var model = nn.Sequential(nn.Linear(512, 512));
        using Tensor batch = zeros(1, 64, 512);
        Assert.Equal(
            4L * sizeof(float) * 12 * 512 * 512, Pruning(new AlpsSparsifier()) - Pruning(new SparseGptSparsifier()));

        long Pruning(ISparsifier pruner) =>
            model.Expand().RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = 32 })
            .PruneWith(pruner, SparsityTarget.Unstructured(0.5)).CalibrateOn([batch]).PlanMemory()
                .Stages.Single(stage => stage.Name == "pruning").Bytes;
    }

    [Fact]
    public void Plan_ErrorsCompensated_CountsTheDenseModelsActivations()
    {
        using var model = new GatedModel();
        ExpansionMemoryPlan plain = Configure(model).PlanMemory(),
            compensated = Configure(model).CompensateErrors().PlanMemory();
        long tokens = _batches.Sum(batch => batch.numel() / GatedModel.Width),
            hidden = tokens * GatedModel.Width * sizeof(float);
        Assert.Equal(hidden, compensated.ResidentBytes - plain.ResidentBytes);
        Assert.Equal(tokens * GatedModel.Hidden * sizeof(float), Calibration(compensated) - Calibration(plain));
        Assert.True(Pruning(compensated) - Pruning(plain) >= (tokens + (3 * 4 * GatedModel.Hidden)) * GatedModel.Hidden * sizeof(float));
        Assert.Equal(8L * 2 * GatedModel.Hidden * GatedModel.Hidden * sizeof(float), Sums(experts: 12) - Sums(experts: 4)); // Two matrices for each expert more.

        long Sums(int experts)
        {
            PcaKMeansOptions router = new() { Experts = experts, PcaReduction = null };
            var wanda = new WandaSparsifier(); // Its own work does not grow with the number of experts.
            SparsityTarget half = SparsityTarget.Unstructured(0.5);
            return Pruning(Configure(model).RouteWith(router).PruneWith(wanda, half).CompensateErrors().PlanMemory())
                - Pruning(Configure(model).RouteWith(router).PruneWith(wanda, half).PlanMemory());
        }

        static long Calibration(ExpansionMemoryPlan plan) =>
            plan.Stages.Single(stage => stage.Name == "calibration").Bytes;
        static long Pruning(ExpansionMemoryPlan plan) => plan.Stages.Single(stage => stage.Name == "pruning").Bytes;
    }

    [Fact]
    public void Plan_FineTuning_CountsItsStepsAndWhatTheyKeep()
    {
        using var model = new GatedModel();
        ExpansionMemoryPlan plain = Configure(model).PlanMemory(), tuned = Tuned(new FineTuningOptions()),
            more = Tuned(new FineTuningOptions { Steps = 8_000 });
        ExpansionMemoryPlan windows = Tuned(new FineTuningOptions { BatchWindows = 16 });
        ExpansionMemoryPlan outputs = Tuned(new FineTuningOptions { OutputLoss = FineTuningLoss.KullbackLeibler });

        Assert.DoesNotContain(plain.Stages, stage => stage.Name == "fine-tuning");
        long hidden = _batches.Sum(batch => batch.numel()) * sizeof(float);
        Assert.Equal(hidden, tuned.ResidentBytes - plain.ResidentBytes); // What the dense model hands from block to block.
        long weights = 4L * 3 * GatedModel.Width * GatedModel.Hidden;
        Assert.InRange(Stage(tuned).Bytes, 9 * weights * sizeof(float), long.MaxValue);
        Assert.Equal(2 * (Stage(tuned).Bytes - (9 * weights * sizeof(float))), Stage(windows).Bytes - (9 * weights * sizeof(float)));
        Assert.Equal(8L * 32 * GatedModel.Hidden * 8 * sizeof(float), Stage(outputs).Bytes - Stage(tuned).Bytes);
        Assert.Equal(Stage(tuned).Bytes, Stage(more).Bytes);
        Assert.True(Stage(more).Seconds > Stage(tuned).Seconds); // Speeds are measured anew, within a factor of ten.

        ExpansionMemoryPlan Tuned(FineTuningOptions options) => Configure(model).FineTune(options).PlanMemory();

        static MemoryStage Stage(ExpansionMemoryPlan plan) => plan.Stages.Single(stage => stage.Name == "fine-tuning");
    }

    /// <summary>A pruner that does not tell counts as SparseGPT, decorated or not.</summary>
    [Fact]
    public void Plan_PrunerOfUnknownSize_CountsAsSparseGpt()
    {
        var unknown = new UnknownPruner();
        Func<ISparsifier, ISparsifier>[] ways =
            [pruner => pruner, pruner => pruner.WithRefit(new RefitOptions { ChunkBytes = 1 << 20 }), pruner => pruner.WithQuantization(new WeightQuantization { Bits = 4 })];
        Assert.All(ways, decorate =>
        {
            (ISparsifier told, ISparsifier guessed) = (decorate(new SparseGptSparsifier()), decorate(unknown));
            Assert.Equal(PrunerSize.Bytes(told, 700, 30, 16), PrunerSize.Bytes(guessed, 700, 30, 16));
            Assert.Equal(PrunerSize.Work(told, 700, 30), PrunerSize.Work(guessed, 700, 30));
        });
    }

    private sealed class UnknownPruner : ISparsifier
    {
        public string Name => "unknown";

        public IActivationStatistic CreateStatistic(LayerDescriptor layer) => throw new NotSupportedException();

        public PruningResult Prune(Tensor weight, IActivationStatistic statistic, SparsityTarget target, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }

    private ExpansionBuilder<GatedModel> Configure(GatedModel model) => model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches);
}
