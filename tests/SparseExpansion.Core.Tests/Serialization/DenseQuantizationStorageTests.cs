using System.Text.Json.Nodes;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.DenseQuantization;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Dense weights in codes on disk.</summary>
public sealed class DenseQuantizationStorageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    private string Saved => _folder.File("saved");

    private string Experts => Path.Combine(Saved, "experts.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(3, 64)]
    [InlineData(4, 128)]
    [InlineData(8, null)]
    public void SaveAndLoad_RoundedWeights_AreCodesOfTheSameValues(int bits, int? group)
    {
        using var scope = NewDisposeScope();
        Save(new WeightQuantization { Bits = bits, GroupSize = group });
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Load(fresh, Saved);

        AssertSameState(fresh);
        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), fresh.call(_batches[0])));
        using SafetensorsReader experts = SafetensorsReader.Open(Experts), rest = SafetensorsReader.Open(Path.Combine(Saved, "model.safetensors"));
        Assert.Equal(Execution.QuantizedWeight.CodeLength(3, GatedModel.Width, bits), experts.Entries["head.codes"].Shape.Single());
        Assert.DoesNotContain("head.weight", rest.Entries.Keys);
        Assert.Contains("head.bias", rest.Entries.Keys);

        ExpandedModel.Save(fresh, _folder.File("again"));
        Assert.Equal(File.ReadAllBytes(Experts), File.ReadAllBytes(_folder.File("again/experts.safetensors")));
    }

    [Fact]
    public void Load_IntoABFloat16Model_SavesTheSameCodes()
    {
        using var scope = NewDisposeScope();
        Save(new WeightQuantization());
        using var fresh = new GatedModel(seed: 99);
        fresh.to(ScalarType.BFloat16);

        ExpandedModel.Load(fresh, Saved);
        ExpandedModel.Save(fresh, _folder.File("again"));

        using SafetensorsReader first = SafetensorsReader.Open(Experts), second = SafetensorsReader.Open(_folder.File("again/experts.safetensors"));
        Assert.True(TensorChecks.Equal(first.Read("head.codes"), second.Read("head.codes")));
    }

    [Fact]
    public void Save_WeightsTrainedSince_StoresThemAsTheyAre()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization());
        using (no_grad())
        {
            _model.state_dict()["head.weight"].mul_(Scalars.Of(1.001));
        }

        result.Save(Saved);

        using var fresh = new GatedModel(seed: 99);
        ExpandedModel.Load(fresh, Saved);
        AssertSameState(fresh);
        using SafetensorsReader rest = SafetensorsReader.Open(Path.Combine(Saved, "model.safetensors"));
        Assert.Contains("head.weight", rest.Entries.Keys);
        Assert.DoesNotContain("blocks.0.gate.weight", rest.Entries.Keys);
    }

    [Fact]
    public void Convert_ToDenseAndToPacked_KeepsTheValues()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand(new WeightQuantization { Bits = 3 });
        result.Save(Saved);
        result.Save(_folder.File("saved dense"), format: ExpertFormat.Dense);

        ExpandedModel.Convert(Saved, _folder.File("dense"), ExpertFormat.Dense);
        ExpandedModel.Convert(Saved, _folder.File("packed"), ExpertFormat.Packed);

        foreach (string folder in new[] { "dense", "saved dense", "packed" })
        {
            using var fresh = new GatedModel(seed: 99);
            ExpandedModel.Load(fresh, _folder.File(folder));
            AssertSameState(fresh);
            Assert.Equal(folder == "packed", ExpandedModel.ListTensors(_folder.File(folder)).ContainsKey("head.codes"));
        }

        Assert.Equal(File.ReadAllBytes(Experts), File.ReadAllBytes(_folder.File("packed/experts.safetensors")));
    }

    [Theory]
    [InlineData("codes", "codes must be")]
    [InlineData("scales", "scales")]
    [InlineData("zeros", "zero")]
    [InlineData("code", "no tensor")]
    public void Load_DamagedTensor_NamesTheWeight(string part, string problem)
    {
        using var scope = NewDisposeScope();
        Save(new WeightQuantization());
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(Experts))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
        }

        switch (part)
        {
            case "codes":
                tensors["head.codes"] = tensors["head.codes"][..^1].clone();
                break;
            case "zeros":
                tensors["head.zeros"].fill_(Scalars.Of(16));
                break;
            case "scales":
                tensors["head.scales"] = tensors["head.scales"][..2].clone();
                break;
            default:
                tensors.Remove("head.codes");
                break;
        }

        SafetensorsWriter.Write(Experts, tensors);
        using var fresh = new GatedModel(seed: 99);
        string message = Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Saved)).Message;
        Assert.Contains(problem, message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("head", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bits", 5, "bits")]
    [InlineData("groupSize", 32, "groups")]
    [InlineData("outFeatures", 4, "rows")]
    [InlineData("outFeatures", 0, "head")]
    [InlineData("name", "tail", "tail")]
    [InlineData("name", "blocks.0.down", "twice")]
    public void Load_IndexThatDoesNotFit_SaysWhy(string key, object value, string problem)
    {
        Save(new WeightQuantization());
        string path = Path.Combine(Saved, "expansion.json");
        JsonNode index = JsonNode.Parse(File.ReadAllText(path))!;
        index["quantized"]!.AsArray().Single(entry => (string?)entry!["name"] == "head")![key] = value is int number ? JsonValue.Create(number) : JsonValue.Create((string)value);
        File.WriteAllText(path, index.ToJsonString());
        using var fresh = new GatedModel(seed: 99);
        Assert.Contains(problem, Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Saved)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ThenDispose_LeavesNoTensors()
    {
        Save(new WeightQuantization());
        int parameters = 0;
        LeakCheck.NoTensorsLeft(
            () =>
            {
                using var fresh = new GatedModel();
                int dense = fresh.parameters().Count();
                ExpandedModel.Load(fresh, Saved);
                parameters = dense + 2; // The biases of the mixtures.
            },
            parametersDisposed: () => parameters);
    }

    private void AssertSameState(GatedModel fresh)
    {
        Dictionary<string, Tensor> expected = _model.state_dict(), actual = fresh.state_dict();
        foreach (string name in expected.Keys.Where(name => !name.Contains("experts", StringComparison.Ordinal) && actual.ContainsKey(name)))
        {
            Assert.True(TensorChecks.Equal(expected[name], actual[name]), name);
        }

        Assert.True(TensorChecks.Equal(expected["head.weight"], actual["head.weight"]));
    }

    private void Save(WeightQuantization quantization)
    {
        using ExpansionResult result = Expand(quantization);
        result.Save(Saved);
    }

    private ExpansionResult Expand(WeightQuantization quantization) => _model.Expand().Blocks(m => m.blocks).Targets("*.down")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
        .QuantizeDense(new DenseQuantizationOptions { Weights = quantization })
        .CalibrateOn(_batches.Select(Calibration.CalibrationBatch.FromTensor)).Run();
}
