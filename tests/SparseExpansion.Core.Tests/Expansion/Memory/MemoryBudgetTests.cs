using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Memory;

public sealed class MemoryBudgetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    public static TheoryData<ISparsifier> Pruners => new(
        new SparseGptSparsifier(),
        new AlpsSparsifier(),
        new AlpsSparsifier(new AlpsOptions { ReducedPrecision = false }),
        new WandaSparsifier().WithRefit());

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void Run_FewExpertsAtOnceAndActivationsOnDisk_GivesTheSameExperts(int expertsAtOnce, bool spill) =>
        AssertSameExperts(new SparseGptSparsifier(), expertsAtOnce, spill);

    [Theory]
    [MemberData(nameof(Pruners))]
    public void Run_FewExpertsAtOnce_GivesTheSameExperts(ISparsifier pruner)
    {
        AssertSameExperts(pruner, 1, spill: false);
        AssertSameExperts(pruner, 3, spill: false);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public void Run_FewExpertsAtOnceAndErrorsCompensated_GivesTheSameExperts(int expertsAtOnce, bool spill) =>
        AssertSameExperts(new SparseGptSparsifier(), expertsAtOnce, spill, compensated: true);

    private void AssertSameExperts(ISparsifier pruner, int expertsAtOnce, bool spill, bool compensated = false)
    {
        using var plain = new GatedModel();
        using ExpansionResult expected = Compensated(Configure(plain, pruner)).Run();
        using var model = new GatedModel();
        var schedule = new MemorySchedule(
            spill ? _folder.Path : null, expected.Layers.Keys.ToDictionary(name => name, _ => expertsAtOnce));

        using ExpansionResult result = Compensated(Configure(model, pruner)).WithSchedule(schedule).Run();

        foreach ((string name, SparseMixtureLayer layer) in expected.Layers)
        {
            Assert.Equal(expected.Report.Layers.Single(entry => entry.Name == name).OutputError, result.Report.Layers.Single(entry => entry.Name == name).OutputError, 1e-5);
            for (int e = 0; e < layer.ExpertCount; e++)
            {
                using Tensor left = layer.GetExpertWeight(e);
                using Tensor right = result.Layers[name].GetExpertWeight(e);
                Assert.True(TensorChecks.Equal(left, right), $"{name}, expert {e}");
            }
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));

        ExpansionBuilder<GatedModel> Compensated(ExpansionBuilder<GatedModel> builder) =>
            compensated ? builder.CompensateErrors() : builder;
    }

    [Fact]
    public void Run_FailureWithActivationsOnDisk_LeavesNoFiles()
    {
        using var model = new GatedModel();
        using var source = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => Configure(model)
            .WithSchedule(new MemorySchedule(_folder.Path, new Dictionary<string, int>()))
            .Run(new CancelAtPropagation(source), source.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Run_BudgetThatNothingFits_SaysWhatWould()
    {
        using var model = new GatedModel();

        var error = Assert.Throws<MemoryBudgetException>(
            () => Configure(model).WithMemory(new MemoryBudget { Bytes = 1 << 20 }).Run());

        Assert.Equal((1L << 20, false), (error.Plan.BudgetBytes!.Value, error.Plan.Fits));
        Assert.EndsWith(error.Plan.Advice, error.Message, StringComparison.Ordinal);
        Assert.Contains("raise the budget to", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("fewer experts", error.Message, StringComparison.Ordinal); // They are small here.
        ExpansionMemoryPlan many = Configure(model).RouteWith(
            new PcaKMeansOptions { Experts = 100_000, PcaReduction = null })
            .WithMemory(new MemoryBudget { Bytes = 1 << 20 }).PlanMemory();
        Assert.Contains("fewer experts", many.Advice, StringComparison.Ordinal);
        ExpansionMemoryPlan plan = Configure(model).WithMemory(new MemoryBudget { Bytes = 1 << 20 }).PlanMemory();
        Assert.False(plan.Fits);
        Assert.True(Configure(model).WithMemory(new MemoryBudget { Bytes = plan.LeastBytes }).PlanMemory().Fits);
    }

    [Fact]
    public void Run_WithBudgetAndStore_LetsExpertsLieInTheStore()
    {
        using var plain = new GatedModel();
        using ExpansionResult expected = Configure(plain).Run();
        using Tensor output = plain.call(_batches[0]);
        using var model = new GatedModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));

        using ExpansionResult result = Configure(model).StoreIn(store)
            .WithMemory(new MemoryBudget { Bytes = 4L << 30, ScratchFolder = _folder.Path }).Run();

        using Tensor after = model.call(_batches[0]);
        Assert.True(TensorChecks.Equal(output, after));
        if (OperatingSystem.IsLinux())
        {
            Assert.Contains("experts-00000.safetensors", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_WithBudgetAndALayerOutsideTheBlocks_LetsAllExpertsLieInTheStore()
    {
        using var model = new GatedModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));

        using ExpansionResult result = Configure(model).Targets("*").StoreIn(store)
            .WithMemory(new MemoryBudget { Bytes = 4L << 30, ScratchFolder = _folder.Path }).Run();

        Assert.All(result.Layers.Values, layer => Assert.True(layer.IsPacked));
        if (OperatingSystem.IsLinux())
        {
            string maps = File.ReadAllText("/proc/self/maps");
            Assert.All([0, 1, 2], unit => Assert.Contains($"{_folder.File("partial")}/experts-{unit:D5}.safetensors", maps, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void SpilledTokens_AgainstTokenMatrix_GiveTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor[] parts = [randn(7, 5), randn(1, 5), randn(12, 5)];
        var matrix = new TokenMatrix(parts);
        using var spilled = new SpilledTokens(_folder.Path, 5);
        Array.ForEach(parts, spilled.Add);
        long[] indices = [19, 0, 7, 7, 3];

        Assert.Equal((matrix.TokenCount, matrix.Features), (spilled.TokenCount, spilled.Features));
        Assert.True(TensorChecks.Equal(matrix.Gather(indices, CPU), spilled.Gather(indices, CPU)));
        Assert.Equal(matrix.ReadChunks(5, CPU).Select(Values), spilled.ReadChunks(5, CPU).Select(Values));
        Assert.Throws<ArgumentOutOfRangeException>(() => spilled.Gather([20], CPU));
    }

    [Fact]
    public void SpilledTokens_ReadingFails_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = ones(7, 5);
        var spilled = new SpilledTokens(_folder.Path, 5);
        spilled.Add(tokens);
        spilled.Dispose();

        Assert.Throws<ObjectDisposedException>(() => spilled.Gather([1], CPU));
        Assert.Throws<ObjectDisposedException>(() => spilled.ReadChunks(5, CPU).ToList());
    });

    private static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    private ExpansionBuilder<GatedModel> Configure(GatedModel model, ISparsifier? pruner = null) => model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
        .PruneWith(pruner ?? new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(_batches);

    private sealed class CancelAtPropagation(CancellationTokenSource source) : IProgress<ExpansionProgress>
    {
        public void Report(ExpansionProgress value)
        {
            if (value.Stage == ExpansionStage.Propagation)
            {
                source.Cancel();
            }
        }
    }
}
