using System.Globalization;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>An expansion that ends at any point goes on and gives the bytes of one that did not end.</summary>
public sealed class ResumeTests : ResumeTestBase
{
    [Theory]
    [InlineData(BlockInputs.Dense, true, "blocks.*")]
    [InlineData(BlockInputs.Expanded, true, "blocks.*")]
    [InlineData(BlockInputs.Dense, false, "blocks.*")]
    [InlineData(BlockInputs.Dense, true, "*")]
    [InlineData(BlockInputs.Dense, true, "blocks.[!1].*")]
    [InlineData(BlockInputs.Dense, true, "blocks.*", true)]
    [InlineData(BlockInputs.Dense, false, "*", true)]
    [InlineData(BlockInputs.Dense, true, "blocks.[!1].*", true)]
    [InlineData(BlockInputs.Dense, true, "blocks.2.*", true)]
    public void Resume_AfterAnEndInEveryBlock_GivesTheSameFiles(
        BlockInputs withinBlock, bool pack, string targets, bool compensated = false)
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model =>
            (compensated ? Configure(model).CompensateErrors() : Configure(model))
            .Targets(layer => targets switch
            {
                "*" => true,
                "blocks.[!1].*" => layer.Name.StartsWith("blocks.", StringComparison.Ordinal) && !layer.Name.Contains(".1.", StringComparison.Ordinal),
                _ => layer.Name.StartsWith(targets[..^1], StringComparison.Ordinal),
            })
            .WithOptions(new ExpansionOptions { WithinBlock = withinBlock, Pack = pack, Seed = 3 });
        AssertSameFiles(configure, 0, 1, 2, Blocks);
    }

    [Theory]
    [InlineData(ExpertFormat.Unchanged)]
    [InlineData(ExpertFormat.Packed)]
    public void Resume_QuantizedExpertsLeftUnpacked_KeepsTheirGrids(ExpertFormat format)
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => Configure(model)
            .PruneWith(
                new SparseGptSparsifier().WithQuantization(new WeightQuantization()), SparsityTarget.Unstructured(0.5))
            .WithOptions(new ExpansionOptions { Pack = false, Seed = 3 });
        Dictionary<string, string> expected = SavedFiles("plain", configure, format);
        EndAt(Folder.File("partial"), configure, block: 2);

        Assert.Equal(expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(Folder.File("partial"))), format));
    }

    [Fact]
    public void Store_UsedFromTheStart_GivesTheFilesOfARunWithoutOne()
    {
        Dictionary<string, string> expected = SavedFiles("plain", Configure);

        Assert.Equal(expected, SavedFiles("stored", model => Configure(model).StoreIn(Open(Folder.File("partial")))));
    }

    [Fact]
    public void Resume_OfAFinishedExpansion_ExpandsNothing()
    {
        SavedFiles("first", model => Configure(model).StoreIn(Open(Folder.File("partial"))));
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));
        var stages = new List<ExpansionStage>();

        using ExpansionResult result = Configure(model).ResumeFrom(store).Run(
            new ImmediateProgress<ExpansionProgress>(step => stages.Add(step.Stage)));

        Assert.Equal([ExpansionStage.Finished], stages);
        Assert.Equal(Blocks * 3, result.Layers.Count);
    }

    [Theory]
    [InlineData("seed", "'3'", "'4'")]
    [InlineData("fine-tuning", "'none'", "Steps = 1")]
    [InlineData("sparsity", "0.5", "0.6")]
    [InlineData("calibration data", "'", "'")]
    [InlineData("model", "'", "'")]
    [InlineData("options of the router", "Experts = 2", "Experts = 3")]
    [InlineData("layers", "blocks.0.gate", "blocks.0.up")]
    [InlineData("blocks", "3: blocks.0, blocks.1, blocks.2", "2: blocks.1, blocks.2")]
    [InlineData("output of the dense model on the first batch", "'", "'")]
    public void Resume_WithSomethingChanged_NamesItWithBothValues(string setting, string was, string now)
    {
        EndAt(Folder.File("partial"), Configure, block: 2);
        using var model = new GatedModel(Blocks, seed: setting == "model" ? 2 : 1, normalized: true);
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));
        ExpansionBuilder<GatedModel> builder = Configure(model).ResumeFrom(store);
        builder = setting switch
        {
            "seed" => builder.WithSeed(4),
            "fine-tuning" => builder.FineTune(new FineTuningOptions { Steps = 1 }),
            "sparsity" => builder.PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6)),
            "calibration data" => builder.CalibrateOn(Batches[1..].Append(Batches[0])),
            "options of the router" => builder.RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null }),
            "layers" => builder.Targets("blocks.?.up", "blocks.?.down"),
            "blocks" => builder.Blocks(m => m.blocks.Skip(1)),
            "output of the dense model on the first batch" => builder.ForwardWith((m, input) => m.call(input) * Scalars.Of(1.5)),
            _ => builder,
        };

        var error = Assert.Throws<OtherExpansionException>(() => builder.Run());

        Assert.Contains(error.Differences, difference => difference.Name == setting && difference.Stored != difference.Now && difference.ToString().StartsWith($"{setting} was ", StringComparison.Ordinal));
        Assert.Contains($"{setting} was ", error.Message, StringComparison.Ordinal);
        Assert.Contains(was, error.Message, StringComparison.Ordinal);
        Assert.Contains(now, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, store.BlockCount);
    }

    [Fact]
    public void Resume_InAnotherCulture_GoesOn()
    {
        CultureInfo former = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        other.NumberFormat.NumberDecimalSeparator = ",";
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model =>
            Configure(model).PruneWith(new AlpsSparsifier(), SparsityTarget.Unstructured(0.5));
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        EndAt(Folder.File("partial"), configure, block: 1);
        try
        {
            CultureInfo.CurrentCulture = other;
            Assert.Equal(
                expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(Folder.File("partial")))));
        }
        finally
        {
            CultureInfo.CurrentCulture = former;
        }
    }

    /// <summary>The record of the options is long; what differs stands at its end.</summary>
    [Fact]
    public void Resume_WithALongSettingChanged_ShowsWhereItDiffers()
    {
        Func<GatedModel, int, ExpansionBuilder<GatedModel>> configure = (model, iterations) =>
            Configure(model).PruneWith(new AlpsSparsifier(new AlpsOptions { MaxRefitIterations = iterations }), SparsityTarget.Unstructured(0.5));
        EndAt(Folder.File("partial"), model => configure(model, 61), block: 1);
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));

        var error = Assert.Throws<OtherExpansionException>(() => configure(model, 62).ResumeFrom(store).Run());

        Assert.Contains("MaxRefitIterations = 61", error.Message, StringComparison.Ordinal);
        Assert.Contains("MaxRefitIterations = 62", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 0, 600);
    }

    [Fact]
    public void StoreIn_TwoStores_IsRefused()
    {
        using GatedModel model = NewModel();
        using FolderExpansionStore first = FolderExpansionStore.Open(Folder.File("first")),
            second = FolderExpansionStore.Open(Folder.File("second"));
        ExpansionBuilder<GatedModel> builder = Configure(model).StoreIn(first).ResumeFrom(first);
        Assert.Contains("once", Assert.Throws<InvalidOperationException>(() => builder.ResumeFrom(second)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StoreIn_AStoreWithBlocks_IsRefusedAndKeepsThem()
    {
        EndAt(Folder.File("partial"), Configure, block: 1);
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));

        var error = Assert.Throws<SparseExpansionException>(() => Configure(model).StoreIn(store).Run());

        Assert.Contains("ResumeFrom", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, store.BlockCount);
    }

    [Fact]
    public void Resume_DamagedFile_NamesIt()
    {
        EndAt(Folder.File("partial"), Configure, block: 2);
        string file = Folder.File("partial/experts-00001.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        using GatedModel model = NewModel();
        using Tensor before = model.call(Batches[0]);
        using FolderExpansionStore store = FolderExpansionStore.Open(Folder.File("partial"));

        var error = Assert.Throws<CheckpointException>(() => Configure(model).ResumeFrom(store).Run());

        Assert.Contains("experts-00001.safetensors", error.Message, StringComparison.Ordinal);
        using Tensor after = model.call(Batches[0]);
        Assert.True(TensorChecks.Equal(before, after));
    }

    [Fact]
    public void Resume_CustomRouter_NeedsItsKind()
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model =>
            Configure(model).RouteWith(new RandomRouterTrainer(2));
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        EndAt(Folder.File("partial"), configure, block: 1);

        Assert.Equal(expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(Folder.File("partial")), RouterKinds.Default)));
    }
}
