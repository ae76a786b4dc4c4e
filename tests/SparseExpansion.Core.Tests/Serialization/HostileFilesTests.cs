using CsCheck;
using SparseExpansion.Expansion;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// Folders that somebody damaged or forged: each loads, or is refused by name,
/// and a refused one leaves the model as it was.
/// </summary>
public sealed class HostileFilesTests : IDisposable
{
    private const int Mutants = 400;

    private readonly TemporaryFolder _root = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public HostileFilesTests()
    {
        using var model = new GatedModel();
        using ExpansionResult result = model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
            .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 })
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();
        result.Save(Folder);
    }

    private string Folder => _root.File("model");

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _root.Dispose();
    }

    [Theory]
    [InlineData("experts.safetensors", true)]
    [InlineData("experts.safetensors", false)]
    [InlineData("model.safetensors", true)]
    [InlineData("expansion.json", true)]
    public void Load_BytesChanged_LoadsOrRefuses(string file, bool map)
    {
        string path = Path.Combine(Folder, file);
        byte[] good = File.ReadAllBytes(path);
        // Half of the changes go to the header, where they hurt most.
        Gen<(int At, byte Value)> change = Gen.Select(Gen.OneOf(Gen.Int[0, good.Length - 1], Gen.Int[0, Math.Min(good.Length, 2000) - 1]), Gen.Byte);
        change.Array[1, 4].Sample(
            changes =>
            {
                byte[] bytes = [.. good];
                Array.ForEach(changes, c => bytes[c.At] = c.Value);
                File.WriteAllBytes(path, bytes);
                TryUse(map);
            },
            iter: Mutants, threads: 1);
    }

    [Theory]
    [InlineData("experts.safetensors")]
    [InlineData("model.safetensors")]
    [InlineData("expansion.json")]
    public void Load_CutOrGrown_LoadsOrRefuses(string file)
    {
        string path = Path.Combine(Folder, file);
        byte[] good = File.ReadAllBytes(path);
        Gen.Int[0, good.Length + 40].Sample(
            length =>
            {
                byte[] bytes = good;
                Array.Resize(ref bytes, length);
                File.WriteAllBytes(path, bytes);
                TryUse(map: true);
            },
            iter: Mutants / 4, threads: 1);
    }

    /// <summary>Replaces whole values of the index by others, which single bytes seldom do.</summary>
    [Fact]
    public void Load_IndexValuesExchanged_LoadsOrRefuses()
    {
        string path = Path.Combine(Folder, "expansion.json");
        string[] parts = System.Text.RegularExpressions.Regex.Split(File.ReadAllText(path), """("[^"]*"|-?\d+|true|false|null)""");
        int[] values = [.. Enumerable.Range(0, parts.Length / 2).Select(i => (2 * i) + 1)];
        string[] others =
        [
            "null", "0", "-1", "1", "2", "2147483647", "9223372036854775807", "1e400", "true", "[]", "{}", "\"\"", "\"../../x\"", "\"weight\"", "\"bias\"",
            "\"linear\"", "\"random\"", "\"masked-dense\"", "[null]", "[\"weight\",\"weight\"]",
        ];
        Gen.Select(Gen.Int[0, values.Length - 1], Gen.Int[0, others.Length - 1]).Array[1, 2].Sample(
            changes =>
            {
                string[] changed = [.. parts];
                Array.ForEach(changes, c => changed[values[c.Item1]] = others[c.Item2]);
                File.WriteAllText(path, string.Concat(changed));
                TryUse(map: true);
            },
            iter: Mutants, threads: 1);
    }

    [Theory]
    [InlineData("{\"format\":\"sparse-expansion\",\"version\":1,\"routers\":[null],\"layers\":[]}")]
    [InlineData("{\"format\":\"sparse-expansion\",\"version\":1,\"routers\":[],\"layers\":[null]}")]
    [InlineData("{\"format\":\"sparse-expansion\",\"version\":1,\"routers\":[{\"kind\":\"linear\",\"inputFeatures\":8,\"experts\":2,\"tensors\":[null]}],\"layers\":[]}")]
    [InlineData("{\"format\":\"sparse-expansion\",\"version\":1,\"routers\":[{\"kind\":\"linear\",\"inputFeatures\":8,\"experts\":2,\"tensors\":[\"a\",\"a\"]}],\"layers\":[]}")]
    public void Load_IndexWithNothingWhereSomethingBelongs_IsRefused(string index)
    {
        File.WriteAllText(Path.Combine(Folder, "expansion.json"), index);
        using var model = new GatedModel();
        Assert.Contains("expansion.json", Assert.Throws<CheckpointException>(() => ExpandedModel.Load(model, Folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LayoutThatFitsNoInteger_IsRefused()
    {
        string path = Path.Combine(Folder, "experts.safetensors");
        Rewrite(path, (name, tensor) => name.EndsWith(".layout", StringComparison.Ordinal) ? tensor.fill_(Scalars.Of(long.MaxValue)) : tensor);
        AssertRefused();
        Rewrite(path, (name, tensor) => name.EndsWith(".layout", StringComparison.Ordinal) ? tensor.to(float32) : tensor);
        AssertRefused();
    }

    [Fact]
    public void Load_RouterOfIntegers_IsRefusedOrRoutes()
    {
        Rewrite(Path.Combine(Folder, "experts.safetensors"), (name, tensor) => name.StartsWith("routers.", StringComparison.Ordinal) ? tensor.to(int32) : tensor);
        TryUse(map: true);
    }

    [Fact]
    public void Load_PaddingOfNaN_ChangesNoOutput()
    {
        using var scope = NewDisposeScope();
        using var model = new GatedModel();
        ExpandedModel.Load(model, Folder);
        Tensor expected = model.call(_batches[0]);
        Rewrite(Path.Combine(Folder, "experts.safetensors"), (name, tensor) =>
        {
            if (name.EndsWith(".values", StringComparison.Ordinal))
            {
                tensor.narrow(0, tensor.shape[0] - 64, 64).fill_(Scalars.Of(float.NaN));
            }

            if (name.EndsWith(".masks", StringComparison.Ordinal))
            {
                tensor.narrow(0, tensor.shape[0] - 8, 8).fill_(Scalars.Of(255));
            }

            return tensor;
        });
        using var poisoned = new GatedModel();

        ExpandedModel.Load(poisoned, Folder);

        Assert.True(TensorChecks.Equal(expected, poisoned.call(_batches[0])));
    }

    private static void Rewrite(string path, Func<string, Tensor, Tensor> change)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(path))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => change(name, reader.Read(name)));
        }

        SafetensorsWriter.Write(path, tensors);
    }

    private void AssertRefused()
    {
        using var model = new GatedModel();
        Assert.Throws<CheckpointException>(() => ExpandedModel.Load(model, Folder));
        Assert.Empty(model.modules().OfType<SparseMixtureLayer>());
    }

    private void TryUse(bool map)
    {
        using var scope = NewDisposeScope();
        using var model = new GatedModel();
        bool loaded = false;
        try
        {
            ExpandedModel.Load(model, Folder, new ExpandedLoadOptions { MemoryMap = map });
            loaded = true;
        }
        catch (CheckpointException)
        {
            Assert.Empty(model.modules().OfType<SparseMixtureLayer>());
        }

        // A model that loads must run, whatever its weights are.
        Tensor output = model.call(_batches[0]);
        Assert.True(loaded || output.isfinite().all().item<bool>());
    }
}
