using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Expansion;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Places of experts when they are loaded, and the formats in which they are saved.</summary>
public sealed class ExpandedStorageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    private string Packed => _folder.File("packed ü");

    private string Dense => _folder.File("dense");

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_MemoryMap_GivesTheSameBitsEitherWay(bool map)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Packed);
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Load(fresh, Packed, new ExpandedLoadOptions { MemoryMap = map });

        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), fresh.call(_batches[0])));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_MemoryMap_KeepsTheFileMappedAsLongAsTheModelLives(bool map)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        using ExpansionResult result = Expand();
        result.Save(Packed);
        string experts = Path.Combine(Packed, "experts.safetensors");
        using (var fresh = new GatedModel())
        {
            ExpandedModel.Load(fresh, Packed, new ExpandedLoadOptions { MemoryMap = map });
            Assert.Equal(map, IsMapped(experts));
        }

        Assert.False(IsMapped(experts));
    }

    [Fact]
    public void Load_MappedFolderReplaced_KeepsTheModelRunning()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems refuse to replace mapped files.");
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Packed);
        using var fresh = new GatedModel();
        ExpandedModel.Load(fresh, Packed);
        Tensor before = fresh.call(_batches[0]);

        ExpandedModel.Save(fresh, Packed, overwrite: true);

        Assert.True(TensorChecks.Equal(before, fresh.call(_batches[0])));
    }

    [Fact]
    public void Load_MappedAndDisposed_LeavesNoTensors()
    {
        using ExpansionResult result = Expand();
        result.Save(Packed);
        int parameters = 0;
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using var fresh = new GatedModel();
                int dense = fresh.parameters().Count();
                ExpandedModel.Load(fresh, Packed, new ExpandedLoadOptions { MemoryMap = true });
                parameters = dense + fresh.parameters().Count() - 2; // The head is the same before and after.
            },
            parametersDisposed: () => parameters);
    }

    [Fact]
    public void Load_OptionsWithoutRouters_NamesThem() =>
        Assert.Throws<ArgumentException>("Routers", () => ExpandedModel.Load(_model, Packed, new ExpandedLoadOptions { Routers = null! }));

    [Fact]
    public void Save_DenseFormat_WritesPlainTensorsOfTheSameBitsAndLeavesTheModelPacked()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();

        result.Save(Dense, format: ExpertFormat.Dense);

        Assert.All(Mixtures(_model), layer => Assert.True(layer.IsPacked));
        using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(Dense, "experts.safetensors"));
        foreach (SparseMixtureLayer layer in Mixtures(_model))
        {
            Tensor weights = reader.Read($"{layer.Name}.experts.weight");
            Assert.Equal([layer.ExpertCount, layer.OutFeatures, layer.InFeatures], weights.shape);
            for (int expert = 0; expert < layer.ExpertCount; expert++)
            {
                Assert.True(TensorChecks.Equal(layer.GetExpertWeight(expert), weights[expert]));
            }
        }
    }

    [Fact]
    public void Load_DenseFormat_GivesTheSameBitsWhenPackedAgain()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Dense, format: ExpertFormat.Dense);
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Load(fresh, Dense);
        Assert.All(Mixtures(fresh), layer => Assert.False(layer.IsPacked));
        Assert.All(Mixtures(fresh), layer => layer.Pack());

        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), fresh.call(_batches[0])));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Convert_ToDenseAndBack_GivesTheSameFiles(ScalarType dtype)
    {
        using ExpansionResult result = Expand();
        _model.to(dtype);
        result.Save(Packed);

        ExpandedModel.Convert(Packed, Dense, ExpertFormat.Dense);
        ExpandedModel.Convert(Dense, _folder.File("again"), ExpertFormat.Packed);

        AssertSameFiles(Packed, _folder.File("again"));
        Assert.NotEqual(
            File.ReadAllBytes(Path.Combine(Packed, "experts.safetensors")), File.ReadAllBytes(Path.Combine(Dense, "experts.safetensors")));
    }

    [Fact]
    public void Convert_SavedDense_IsWhatSavingDenseWrites()
    {
        using ExpansionResult result = Expand();
        result.Save(Packed);
        result.Save(Dense, format: ExpertFormat.Dense);

        ExpandedModel.Convert(Packed, _folder.File("converted"), ExpertFormat.Dense);

        AssertSameFiles(Dense, _folder.File("converted"));
    }

    [Fact]
    public void Restore_DenseExpertsThatAreOnlyRead_LieInTheStoredTensor()
    {
        using var scope = NewDisposeScope();
        var stored = new Dictionary<string, Tensor> { [MaskedDenseExperts.WeightName] = randn(2, 3, 4) };

        using ExpertWeights shared = ExpertStorage.Restore(MaskedDenseExperts.Kind, "layer", 2, 3, 4, stored, share: true);
        using ExpertWeights copied = ExpertStorage.Restore(MaskedDenseExperts.Kind, "layer", 2, 3, 4, stored);
        stored[MaskedDenseExperts.WeightName].zero_();

        Assert.Equal(0, shared.CountNonzero(1));
        Assert.Equal(12, copied.CountNonzero(1));
    }

    [Fact]
    public void Convert_EveryWay_LeavesNoTensors()
    {
        using ExpansionResult result = Expand();
        result.Save(Packed);
        ExpandedModel.Convert(Packed, Dense, ExpertFormat.Dense);
        foreach ((string source, ExpertFormat format) in new[] { (Packed, ExpertFormat.Dense), (Dense, ExpertFormat.Packed), (Dense, ExpertFormat.Dense) })
        {
            LeakCheck.NoTensorsLeft(
                () => ExpandedModel.Convert(source, _folder.File("converted"), format, overwrite: true),
                parametersDisposed: source == Dense ? Mixtures(_model).Length : 0);
        }
    }

    [Fact]
    public void Convert_Float64ToPacked_NamesTheLayerAndLeavesNothing()
    {
        using ExpansionResult result = Expand();
        Array.ForEach(Mixtures(_model), layer => layer.Unpack());
        _model.to(ScalarType.Float64);
        result.Save(Dense);

        var error = Assert.Throws<SparseExpansionException>(() => ExpandedModel.Convert(Dense, Packed, ExpertFormat.Packed));
        Assert.Contains("'blocks.0.", error.Message, StringComparison.Ordinal);
        Assert.Equal([Dense], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Convert_IntoItself_IsRefused()
    {
        using ExpansionResult result = Expand();
        result.Save(Packed);
        Assert.Throws<CheckpointException>(() => ExpandedModel.Convert(Packed, Packed + Path.DirectorySeparatorChar, ExpertFormat.Dense, overwrite: true));
    }

    [Fact]
    public void ListTensors_OfAnExpandedModel_NamesThoseOfBothFiles()
    {
        using ExpansionResult result = Expand();
        result.Save(Packed);

        IReadOnlyDictionary<string, SafetensorsEntry> tensors = ExpandedModel.ListTensors(Packed);

        Assert.Contains("blocks.0.gate.experts.0.values", tensors.Keys);
        Assert.Contains(tensors.Keys, name => !name.Contains("experts", StringComparison.Ordinal) && !name.StartsWith("routers", StringComparison.Ordinal));
    }

    private static void AssertSameFiles(string expected, string actual)
    {
        string[] names = [.. Directory.GetFiles(expected).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.Equal(names, Directory.GetFiles(actual).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(Path.Combine(expected, name)), File.ReadAllBytes(Path.Combine(actual, name))));
    }

    private static bool IsMapped(string path) => File.ReadAllText("/proc/self/maps").Contains(path, StringComparison.Ordinal);

    private static SparseMixtureLayer[] Mixtures(nn.Module model) => [.. model.modules().OfType<SparseMixtureLayer>()];

    private ExpansionResult Expand() => _model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = 2 })
        .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();
}
