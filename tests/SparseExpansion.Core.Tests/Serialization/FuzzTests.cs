using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Fuzzing;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// Changed files of expanded models: see <see cref="FuzzRun"/> for what must hold, and how to run it for longer.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _root.Dispose();
    }

    [Fact]
    public void Safetensors_Changed_ReadsOrRefuses()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(_root.File("small"), new Dictionary<string, Tensor>
        {
            ["wide"] = ones(3, 5, dtype: float64),
            ["flags"] = ones(4, dtype: @bool),
            ["scalar"] = ones([], dtype: int32),
            ["none"] = zeros(0, 7, dtype: bfloat16),
        });
        SafetensorsWriter.Write(_root.File("names"), Enumerable.Range(0, 30).ToDictionary(i => $"layers.{i}.weight", _ => ones(2, dtype: uint8)), new Dictionary<string, string> { ["format"] = "pt", ["é😀"] = "\u0001" });
        string path = _root.File("mutant");
        FuzzRun.Cases("safetensors", [Bytes("small"), Bytes("names")], new SafetensorsMutator().Mutate, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            ReadAll(path);
        }, cases: 1_500);
    }

    [Theory]
    [InlineData(ExpertFormat.Packed)]
    [InlineData(ExpertFormat.Dense)]
    public void ExpandedIndex_Changed_LoadsOrRefuses(ExpertFormat format)
    {
        SaveModel(format);
        var mutator = new JsonMutator(
            "\"linear\"", "\"random\"", "\"single\"", "\"masked-dense\"", "\"packed-bitmask\"", "\"weight\"", "\"bias\"", "\"projection\"",
            "\"blocks.0.gate\"", "\"blocks.0\"", "\"head\"", "16", "24", "\"experts\"", "\"layers\"", "\"routers\"");
        RunModel($"expansion.json-{format}", ExpandedIndex.FileName, mutator.Mutate, cases: 200);
    }

    [Theory]
    [InlineData(ExpertFormat.Packed)]
    [InlineData(ExpertFormat.Dense)]
    public void Experts_Changed_LoadsOrRefuses(ExpertFormat format)
    {
        SaveModel(format);
        RunModel($"experts-{format}", ExpandedTensorNames.ExpertsFile, new SafetensorsMutator().Mutate, cases: 80);
        RunModel($"model-{format}", ExpandedTensorNames.ModelFile, new SafetensorsMutator().Mutate, cases: 80);
    }

    private static void ReadAll(string path)
    {
        using var scope = NewDisposeScope();
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        foreach (SafetensorsEntry entry in reader.Entries.Values)
        {
            Assert.Equal(entry.Shape, reader.Map(entry.Name).shape);
            Assert.Equal(entry.Shape, reader.Read(entry.Name).shape);
        }
    }

    private void SaveModel(ExpertFormat format)
    {
        using var model = new GatedModel();
        using ExpansionResult result = model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
            .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 })
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();
        ExpandedModel.Save(model, _root.File("model"), format: format);
    }

    /// <summary>
    /// Loads, runs, lists and converts; whatever happens, the folder of the model stays as it is and nothing
    /// half-written is left.
    /// </summary>
    private void RunModel(string name, string file, Func<byte[], Random, byte[]> mutate, int cases)
    {
        string folder = _root.File("model");
        string path = Path.Combine(folder, file);
        byte[] good = File.ReadAllBytes(path);
        FuzzRun.Cases(name, [good], mutate, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            try
            {
                Convert(folder);
                LoadAndRun(folder);
            }
            finally
            {
                Assert.Equal(["model"], Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName));
            }
        }, cases);
        File.WriteAllBytes(path, good);
    }

    private void Convert(string folder)
    {
        string output = _root.File("converted");
        try
        {
            ExpandedModel.Convert(folder, output, ExpertFormat.Dense);
            Directory.Delete(output, recursive: true);
        }
        catch (SparseExpansionException)
        {
            // Loading is tried all the same.
        }
    }

    private void LoadAndRun(string folder)
    {
        using var scope = NewDisposeScope();
        using var model = new GatedModel();
        try
        {
            ExpandedModel.Load(model, folder);
        }
        catch (SparseExpansionException)
        {
            Assert.Empty(model.modules().OfType<Layers.SparseMixtureLayer>());
            Assert.True(model.call(_batches[0]).isfinite().all().item<bool>());
            throw;
        }

        model.call(_batches[0]);
    }

    private byte[] Bytes(string name) => File.ReadAllBytes(_root.File(name));
}
