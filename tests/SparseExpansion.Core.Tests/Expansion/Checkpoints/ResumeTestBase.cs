using System.Text.Json.Nodes;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>A model of three blocks whose expansion is ended and gone on with.</summary>
public abstract class ResumeTestBase : IDisposable
{
    private protected const int Blocks = 3;

    private FolderExpansionStore? _opened;

    private protected TemporaryFolder Folder { get; } = new();

    private protected Tensor[] Batches { get; } = GatedModel.Batches();

    public void Dispose()
    {
        Array.ForEach(Batches, batch => batch.Dispose());
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Ends an expansion behind each of its blocks, and compares the files of those that go on with the files of one in
    /// one go.
    /// </summary>
    private protected void AssertSameFiles(Func<GatedModel, ExpansionBuilder<GatedModel>> configure, params int[] stops)
    {
        Dictionary<string, string> expected = SavedFiles("plain", configure);
        foreach (int stop in stops)
        {
            string partial = Folder.File($"partial {stop}");
            EndAt(partial, configure, stop);
            Assert.Equal(expected, SavedFiles($"resumed {stop}", model => configure(model).ResumeFrom(Open(partial))));
        }
    }

    private protected static GatedModel NewModel() => new(Blocks, normalized: true);

    private protected ExpansionBuilder<GatedModel> Configure(GatedModel model) =>
        WithMethod(model.Expand().Blocks(m => m.blocks).Targets("blocks.*"));

    private protected ExpansionBuilder<GatedModel> WithMethod(ExpansionBuilder<GatedModel> builder) => builder
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .CalibrateOn(Batches)
        .WithSeed(3);

    /// <summary>A store that the builder's run uses and that is closed behind it.</summary>
    private protected FolderExpansionStore Open(string folder)
    {
        _opened = FolderExpansionStore.Open(folder);
        return _opened;
    }

    /// <summary>Runs until a number of blocks is stored, then fails in the middle of the next one.</summary>
    private protected static void EndAt(
        string partial, Func<GatedModel, ExpansionBuilder<GatedModel>> configure, int block)
    {
        using GatedModel model = NewModel();
        using FolderExpansionStore store = FolderExpansionStore.Open(partial);
        var listener = new ImmediateProgress<ExpansionProgress>(step =>
        {
            if (store.BlockCount == block && (step.Stage == ExpansionStage.Pruning || step.Stage == ExpansionStage.Packing || block == Blocks))
            {
                throw new InvalidOperationException("killed");
            }
        });
        ExpansionBuilder<GatedModel> builder = configure(model).StoreIn(store);
        if (Record.Exception(() => builder.Run(listener)?.Dispose()) is { } error)
        {
            Assert.Equal("killed", error.Message);
        }

        Assert.Equal(block, store.BlockCount);
    }

    /// <summary>All files of the saved model by name, the report without its times.</summary>
    private protected Dictionary<string, string> SavedFiles(
        string name, Func<GatedModel, ExpansionBuilder<GatedModel>> configure,
        ExpertFormat format = ExpertFormat.Unchanged)
    {
        string folder = Folder.File(name);
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
