using SparseExpansion.Expansion;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Quantized experts on disk.</summary>
public sealed class QuantizedStorageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    private string Packed => _folder.File("packed");

    private string Experts => Path.Combine(Packed, "experts.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(4, null, true)]
    [InlineData(4, 64, false)]
    [InlineData(8, 128, true)]
    [InlineData(2, 64, true)]
    [InlineData(2, null, false)]
    [InlineData(3, 128, true)]
    [InlineData(3, null, false)]
    public void SaveAndLoad_QuantizedExperts_GivesTheSameBits(int bits, int? group, bool map)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization { Bits = bits, GroupSize = group });
        result.Save(Packed);
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Load(fresh, Packed, new ExpandedLoadOptions { MemoryMap = map });

        Assert.All(Mixtures(fresh), layer => Assert.Equal((bits, group), (layer.Quantization!.Bits, layer.Quantization.GroupSize)));
        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), fresh.call(_batches[0])));
        Assert.Equal(Mixtures(_model).Sum(layer => layer.ExpertBytes), Mixtures(fresh).Sum(layer => layer.ExpertBytes));
    }

    [Fact]
    public void Convert_ToDense_WritesTheRoundedWeights()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization());
        result.Save(Packed);
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Convert(Packed, _folder.File("dense"), ExpertFormat.Dense);
        ExpandedModel.Convert(Packed, _folder.File("same"), ExpertFormat.Packed);
        ExpandedModel.Load(fresh, _folder.File("dense"));

        foreach ((SparseMixtureLayer expected, SparseMixtureLayer actual) in Mixtures(_model).Zip(Mixtures(fresh)))
        {
            Assert.False(actual.IsPacked);
            Assert.True(TensorChecks.Equal(expected.GetExpertWeight(0), actual.GetExpertWeight(0)));
        }

        Assert.Equal(File.ReadAllBytes(Experts), File.ReadAllBytes(_folder.File("same/experts.safetensors")));
    }

    [Fact]
    public void Save_QuantizedExpertsOnCuda_WritesTheSameCodes()
    {
        Assert.SkipUnless(cuda.is_available(), "Needs a CUDA device.");
        using ExpansionResult result = Expand(new WeightQuantization());
        result.Save(Packed);
        Array.ForEach(Mixtures(_model), layer => layer.Unpack());
        _model.to(CUDA);

        result.Save(_folder.File("cuda"), format: ExpertFormat.Packed);

        Assert.Equal(File.ReadAllBytes(Experts), File.ReadAllBytes(_folder.File("cuda/experts.safetensors")));
    }

    [Fact]
    public void Load_IntoABFloat16Model_KeepsTheCodes()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization());
        result.Save(Packed);
        using var fresh = new GatedModel(seed: 99);
        fresh.to(ScalarType.BFloat16);

        ExpandedModel.Load(fresh, Packed);

        Assert.All(Mixtures(fresh), layer => Assert.Equal(4, layer.Quantization!.Bits));
        Assert.Equal(ScalarType.BFloat16, Mixtures(fresh)[0].GetExpertWeight(0).dtype);
        Assert.True(fresh.call(_batches[0].to(ScalarType.BFloat16)).isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("values", "padding")]
    [InlineData("scales", "scales")]
    [InlineData("zeros", "zero")]
    [InlineData("layout", "quantized")]
    public void Load_DamagedArray_SaysSo(string array, string problem)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization());
        result.Save(Packed);
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(Experts))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
        }

        string name = tensors.Keys.First(key => key.EndsWith($".{array}", StringComparison.Ordinal));
        tensors[name] = array switch
        {
            "values" => tensors[name][..^4],
            "layout" => tensor(new long[] { 64, 128, 5, 0 }),
            _ => cat([tensors[name], tensors[name]], 1),
        };
        SafetensorsWriter.Write(Experts, tensors);

        using var fresh = new GatedModel(seed: 99);
        Assert.Contains(problem, Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Packed)).Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Load_MappedAndDisposed_LeavesNoTensors()
    {
        using ExpansionResult result = Expand(new WeightQuantization());
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

    private static SparseMixtureLayer[] Mixtures(nn.Module model) => [.. model.modules().OfType<SparseMixtureLayer>()];

    private ExpansionResult Expand(WeightQuantization quantization) => _model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = 2 })
        .PruneWith(new SparseGptSparsifier().WithQuantization(quantization), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();
}
