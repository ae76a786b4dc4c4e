using System.Globalization;
using System.Text.Json.Nodes;
using SparseExpansion.Internal;
using SparseExpansion.Pruning;
using SparseExpansion.Quantization;
using SparseExpansion.Routing;
using SparseExpansion.Serialization;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>An expansion that ends at any point goes on and gives the bytes of one that did not end.</summary>
public sealed class ResumeTests : IDisposable
{
    private const int Blocks = 3;

    private readonly TemporaryFolder _folder = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(BlockInputs.Dense, true, "blocks.*")]
    [InlineData(BlockInputs.Expanded, true, "blocks.*")]
    [InlineData(BlockInputs.Dense, false, "blocks.*")]
    [InlineData(BlockInputs.Dense, true, "*")]
    [InlineData(BlockInputs.Dense, true, "blocks.[!1].*")]
    [InlineData(BlockInputs.Dense, true, "blocks.*", true)]
    [InlineData(BlockInputs.Dense, false, "*", true)]
    [InlineData(BlockInputs.Dense, true, "blocks.[!1].*", true)]
    public void Resume_AfterAnEndInEveryBlock_GivesTheSameFiles(BlockInputs withinBlock, bool pack, string targets, bool compensated = false)
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => (compensated ? Configure(model).CompensateErrors() : Configure(model))
            .Targets(layer => targets == "blocks.[!1].*" ? layer.Name.StartsWith("blocks.", StringComparison.Ordinal) && !layer.Name.Contains(".1.", StringComparison.Ordinal)
                : targets == "*" || layer.Name.StartsWith("blocks.", StringComparison.Ordinal))
            .WithOptions(new ExpansionOptions { WithinBlock = withinBlock, Pack = pack, Seed = 3 });
        Dictionary<string, string> expected = SavedFiles("plain", configure);

        for (int stop = 0; stop <= Blocks; stop++)
        {
            string partial = _folder.File($"partial {stop}");
            EndAt(partial, configure, stop);
            Assert.Equal(expected, SavedFiles($"resumed {stop}", model => configure(model).ResumeFrom(Open(partial))));
        }
    }

    [Theory]
    [InlineData(ExpertFormat.Unchanged)]
    [InlineData(ExpertFormat.Packed)]
    public void Resume_QuantizedExpertsLeftUnpacked_KeepsTheirGrids(ExpertFormat format)
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => Configure(model)
            .PruneWith(new SparseGptSparsifier().WithQuantization(new WeightQuantization()), SparsityTarget.Unstructured(0.5))
            .WithOptions(new ExpansionOptions { Pack = false, Seed = 3 });
        Dictionary<string, string> expected = SavedFiles("plain", configure, format);
        EndAt(_folder.File("partial"), configure, block: 2);

        Assert.Equal(expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(_folder.File("partial"))), format));
    }

    [Fact]
    public void Store_UsedFromTheStart_GivesTheFilesOfARunWithoutOne()
    {
        Dictionary<string, string> expected = SavedFiles("plain", Configure);

        Assert.Equal(expected, SavedFiles("stored", model => Configure(model).StoreIn(Open(_folder.File("partial")))));
    }

    /// <summary>Trained norms, reports and the dense model's outputs go on, too; what was trained is not what the dense model puts out.</summary>
    [Theory]
    [InlineData(FineTuningTarget.DenseModel, false)]
    [InlineData(FineTuningTarget.DenseBlock, false)]
    [InlineData(FineTuningTarget.DenseBlock, true)]
    public void Resume_WithFineTuning_GivesTheSameFiles(FineTuningTarget target, bool compensated)
    {
        var options = new FineTuningOptions { Steps = 4, CheckInterval = 1, LearningRate = 0.01, HoldOut = 0.3, Target = target, OutputLoss = FineTuningLoss.RelativeSquaredError };
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => (compensated ? Configure(model).CompensateErrors() : Configure(model)).FineTune(options);
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        for (int stop = 1; stop <= Blocks; stop++)
        {
            string partial = _folder.File($"partial {stop}");
            EndAt(partial, configure, stop);
            Assert.Equal(expected, SavedFiles($"resumed {stop}", model => configure(model).ResumeFrom(Open(partial))));
        }
    }

    [Fact]
    public void Resume_WithFineTuning_TrainedNormsComeBackAndRevert()
    {
        EndAt(_folder.File("partial"), Tuned, block: 2);
        using GatedModel model = NewModel();
        Dictionary<string, Tensor> dense = model.state_dict();
        string before = TensorHash.OfState(dense);
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));
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
    public void Resume_WithFineTuningThatFails_LeavesTheDenseModel()
    {
        EndAt(_folder.File("partial"), Tuned, block: 2);
        using GatedModel model = NewModel();
        string before = TensorHash.OfState(model.state_dict());
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));
        var listener = new ImmediateProgress<ExpansionProgress>(step => throw new InvalidOperationException($"{step.Stage}"));

        Assert.Throws<InvalidOperationException>(() => Tuned(model).ResumeFrom(store).Run(listener));

        Assert.Equal(before, TensorHash.OfState(model.state_dict()));
    }

    [Fact]
    public void Resume_OfAFinishedExpansion_ExpandsNothing()
    {
        SavedFiles("first", model => Configure(model).StoreIn(Open(_folder.File("partial"))));
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));
        var stages = new List<ExpansionStage>();

        using ExpansionResult result = Configure(model).ResumeFrom(store).Run(new ImmediateProgress<ExpansionProgress>(step => stages.Add(step.Stage)));

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
        EndAt(_folder.File("partial"), Configure, block: 2);
        using var model = new GatedModel(Blocks, seed: setting == "model" ? 2 : 1, normalized: true);
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));
        ExpansionBuilder<GatedModel> builder = Configure(model).ResumeFrom(store);
        builder = setting switch
        {
            "seed" => builder.WithSeed(4),
            "fine-tuning" => builder.FineTune(new FineTuningOptions { Steps = 1 }),
            "sparsity" => builder.PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6)),
            "calibration data" => builder.CalibrateOn(_batches[1..].Append(_batches[0])),
            "options of the router" => builder.RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null }),
            "layers" => builder.Targets("blocks.?.up", "blocks.?.down"),
            "blocks" => builder.Blocks(m => m.blocks.Skip(1)),
            "output of the dense model on the first batch" => builder.ForwardWith((m, input) => m.call(input) * 1.5),
            _ => builder,
        };

        var error = Assert.Throws<SparseExpansionException>(() => builder.Run());

        Assert.Contains($"{setting} was ", error.Message, StringComparison.Ordinal);
        Assert.Contains(was, error.Message, StringComparison.Ordinal);
        Assert.Contains(now, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, store.UnitCount);
    }

    [Fact]
    public void Resume_InAnotherCulture_GoesOn()
    {
        CultureInfo former = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        other.NumberFormat.NumberDecimalSeparator = ",";
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => Configure(model).PruneWith(new AlpsSparsifier(), SparsityTarget.Unstructured(0.5));
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        EndAt(_folder.File("partial"), configure, block: 1);
        try
        {
            CultureInfo.CurrentCulture = other;
            Assert.Equal(expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(_folder.File("partial")))));
        }
        finally
        {
            CultureInfo.CurrentCulture = former;
        }
    }

    [Fact]
    public void StoreIn_AStoreWithBlocks_IsRefusedAndKeepsThem()
    {
        EndAt(_folder.File("partial"), Configure, block: 1);
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));

        var error = Assert.Throws<SparseExpansionException>(() => Configure(model).StoreIn(store).Run());

        Assert.Contains("ResumeFrom", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, store.UnitCount);
    }

    [Fact]
    public void Resume_DamagedFile_NamesIt()
    {
        EndAt(_folder.File("partial"), Configure, block: 2);
        string file = _folder.File("partial/experts-00001.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        using GatedModel model = NewModel();
        using Tensor before = model.call(_batches[0]);
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("partial"));

        var error = Assert.Throws<CheckpointException>(() => Configure(model).ResumeFrom(store).Run());

        Assert.Contains("experts-00001.safetensors", error.Message, StringComparison.Ordinal);
        using Tensor after = model.call(_batches[0]);
        Assert.True(TensorChecks.Equal(before, after));
    }

    [Fact]
    public void Resume_CustomRouter_NeedsItsKind()
    {
        Func<GatedModel, ExpansionBuilder<GatedModel>> configure = model => Configure(model).RouteWith(new RandomRouterTrainer(2));
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        EndAt(_folder.File("partial"), configure, block: 1);

        Assert.Equal(expected, SavedFiles("resumed", model => configure(model).ResumeFrom(Open(_folder.File("partial")), RouterKinds.Default)));
    }

    private static ExpansionBuilder<GatedModel> Configure(GatedModel model, Tensor[] batches) => model.Expand()
        .Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(batches)
        .WithSeed(3);

    private static GatedModel NewModel() => new(Blocks, normalized: true);

    private ExpansionBuilder<GatedModel> Configure(GatedModel model) => Configure(model, _batches);

    private ExpansionBuilder<GatedModel> Tuned(GatedModel model) =>
        Configure(model).FineTune(new FineTuningOptions { Steps = 4, CheckInterval = 1, LearningRate = 0.01, HoldOut = 0.3 });

    /// <summary>A store that the builder's run uses and that is closed behind it.</summary>
    private FolderExpansionStore Open(string folder)
    {
        _opened = FolderExpansionStore.Open(folder);
        return _opened;
    }

    private FolderExpansionStore? _opened;

    /// <summary>Runs until a number of blocks is stored, then fails in the middle of the next one.</summary>
    private static void EndAt(string partial, Func<GatedModel, ExpansionBuilder<GatedModel>> configure, int block)
    {
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(partial);
        var listener = new ImmediateProgress<ExpansionProgress>(step =>
        {
            if (store.UnitCount == block && (step.Stage is ExpansionStage.Pruning or ExpansionStage.Packing || block == Blocks))
            {
                throw new InvalidOperationException("killed");
            }
        });
        ExpansionBuilder<GatedModel> builder = configure(model).StoreIn(store);
        if (Record.Exception(() => builder.Run(listener)?.Dispose()) is { } error)
        {
            Assert.Equal("killed", error.Message);
        }

        Assert.Equal(block, store.UnitCount);
    }

    /// <summary>All files of the saved model by name, the report without its times.</summary>
    private Dictionary<string, string> SavedFiles(
        string name, Func<GatedModel, ExpansionBuilder<GatedModel>> configure, ExpertFormat format = ExpertFormat.Unchanged)
    {
        string folder = _folder.File(name);
        using GatedModel model = NewModel();
        using (ExpansionResult result = configure(model).Run())
        {
            result.Save(folder, format: format);
        }

        _opened?.Dispose();
        return Directory.EnumerateFiles(folder).ToDictionary(file => Path.GetFileName(file), file => Path.GetFileName(file) == ExpansionResult.ReportFileName
            ? WithoutTimes(File.ReadAllText(file))
            : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));
    }

    private static string WithoutTimes(string report)
    {
        JsonObject json = JsonNode.Parse(report)!.AsObject();
        json.Remove("seconds");
        foreach (JsonNode? layer in json["layers"]!.AsArray())
        {
            layer!.AsObject().Remove("seconds");
        }

        return json.ToJsonString();
    }
}
