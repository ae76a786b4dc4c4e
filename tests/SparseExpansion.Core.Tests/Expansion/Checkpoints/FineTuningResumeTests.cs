using System.Text.Json.Nodes;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>
/// Fine-tuned blocks go on too: with trained norms, reports and the dense model's outputs, which trained blocks no
/// longer give.
/// </summary>
public sealed class FineTuningResumeTests : ResumeTestBase
{
    private static readonly FineTuningOptions s_options = new() { Steps = 4, CheckInterval = 1, LearningRate = 0.01, HoldOut = 0.3 };

    [Theory]
    [InlineData(FineTuningTarget.DenseModel, "blocks.*")]
    [InlineData(FineTuningTarget.DenseModel, "blocks.2.*")]
    [InlineData(FineTuningTarget.DenseBlock, "blocks.*")]
    [InlineData(FineTuningTarget.DenseBlock, "blocks.*", true)]
    [InlineData(FineTuningTarget.DenseModel, "blocks.0.* blocks.2.*", true)]
    public void Resume_AfterAnEndInEveryBlock_GivesTheSameFiles(FineTuningTarget target, string targets, bool compensated = false) => AssertSameFiles(
        model => (compensated ? Configure(model).CompensateErrors() : Configure(model)).Targets(targets.Split(' '))
            .FineTune(s_options with { Target = target, OutputLoss = FineTuningLoss.RelativeSquaredError }),
        1, 2, Blocks);

    [Fact]
    public void Resume_UnpackedWithoutNorms_GivesTheSameFiles() => AssertSameFiles(
        model => Configure(model).WithOptions(new ExpansionOptions { Pack = false, Seed = 3 }).FineTune(s_options with { TrainNorms = false }), 1, 2);

    [Fact]
    public void Resume_OfTheWholeModelInOnePiece_GivesTheSameFiles() => AssertSameFiles(
        model => WithMethod(model.Expand().Targets("blocks.*")).FineTune(s_options), 1);

    [Fact]
    public void Resume_TrainedNorms_ComeBackAndRevert()
    {
        EndAt(Folder.File("partial"), Tuned, block: 2);
        using GatedModel model = NewModel();
        Dictionary<string, Tensor> dense = model.state_dict();
        string before = TensorHash.OfState(dense);
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));
                using ExpansionResult result = Tuned(model).ResumeFrom(store).Run();
                Assert.Equal([0, 1, 2], result.Report.FineTuning.Select(block => block.Block));
                Assert.All(result.Report.FineTuning, block => Assert.InRange(block.KeptStep, 1, 4));
                Assert.NotEqual(before, TensorHash.OfState(dense)); // Linears are exchanged, norms are trained in place.
                result.Revert();
            },
            parametersDisposed: Blocks * 2); // Biases of the restored mixtures.
        Assert.Equal(before, TensorHash.OfState(model.state_dict()));
    }

    [Fact]
    public void Resume_ThatFails_LeavesTheDenseModel()
    {
        EndAt(Folder.File("partial"), Tuned, block: 2);
        using GatedModel model = NewModel();
        string before = TensorHash.OfState(model.state_dict());
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));
        var listener = new ImmediateProgress<ExpansionProgress>(
            step => throw new InvalidOperationException($"{step.Stage}"));

        Assert.Throws<InvalidOperationException>(() => Tuned(model).ResumeFrom(store).Run(listener));

        Assert.Equal(before, TensorHash.OfState(model.state_dict()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Resume_StoreWithoutNormsOrReport_IsRefusedAndLeavesTheDenseModel(bool norms)
    {
        EndAt(Folder.File("partial"), Tuned, block: 2);
        using GatedModel model = NewModel();
        string before = TensorHash.OfState(model.state_dict());
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));

        var error = Assert.Throws<CheckpointException>(
            () => Tuned(model).ResumeFrom(new ForgetfulStore(store, norms)).Run());

        Assert.Contains("block 0", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, TensorHash.OfState(model.state_dict()));
    }

    private ExpansionBuilder<GatedModel> Tuned(GatedModel model) => Configure(model).FineTune(s_options);

    /// <summary>Loses the trained norms of its blocks, or what is said of their training.</summary>
    private sealed class ForgetfulStore(IExpansionStore store, bool norms) : IExpansionStore
    {
        public IReadOnlyDictionary<string, string>? Settings => store.Settings;

        public int BlockCount => store.BlockCount;

        public void Begin(IReadOnlyDictionary<string, string> settings) => store.Begin(settings);

        public void Add(StoredBlock block) => store.Add(block);

        public StoredBlock Read(int block)
        {
            StoredBlock stored = store.Read(block);
            JsonObject description = JsonNode.Parse(stored.Description)!.AsObject();
            if (!norms)
            {
                Assert.True(description.Remove("fineTuning"));
                return new StoredBlock(description.ToJsonString(), stored.Tensors, stored.Activations);
            }

            KeyValuePair<string, Tensor>[] lost = [.. stored.Tensors.Where(entry => entry.Key.StartsWith("norms/", StringComparison.Ordinal))];
            Assert.NotEmpty(lost);
            Dictionary<string, Tensor> left = stored.Tensors.Where(entry => !entry.Key.StartsWith("norms/", StringComparison.Ordinal)).ToDictionary();
            Array.ForEach(lost, entry => entry.Value.Dispose());
            return new StoredBlock(stored.Description, left, stored.Activations);
        }
    }
}
