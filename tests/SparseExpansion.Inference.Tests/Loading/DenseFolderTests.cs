using System.Text.Json.Nodes;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Testing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Folders that are refused, and variants that are not.</summary>
public sealed class DenseFolderTests : IDisposable
{
    private const string Weights = "model.safetensors";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_NoWeights_NamesTheFolder()
    {
        Copy("qwen3");
        File.Delete(_folder.File(Weights));
        Assert.Contains("has neither model.safetensors", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TruncatedWeights_NamesTheFile()
    {
        Copy("qwen3");
        using (FileStream stream = File.OpenWrite(_folder.File(Weights)))
        {
            stream.SetLength(stream.Length - 2);
        }

        Assert.Contains(_folder.File(Weights), Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SeveralFaults_NamesThemAllWithTheFile()
    {
        Copy("qwen3");
        const string Norm = "model.norm.weight", Query = "model.layers.0.self_attn.q_proj.weight";
        Rewrite(tensors =>
        {
            tensors.Remove("model.layers.1.mlp.up_proj.weight");
            tensors.Remove("model.layers.0.input_layernorm.weight");
            tensors[Norm] = Small(Norm, ElementType.Float32, [2]);
            IReadOnlyList<long> shape = tensors[Query].Shape;
            tensors[Query] = SafetensorsContent.Of<int>(Query, ElementType.Int32, shape, new int[shape[0] * shape[1]]);
        });

        string file = _folder.File(Weights);
        Assert.Equal(
            $"{file}: lacks tensors: model.layers.0.input_layernorm.weight, model.layers.1.mlp.up_proj.weight. "
            + $"{file}: the tensor '{Query}' is Int32; the model needs Float32 or BFloat16 or Float16 or Float64. "
            + $"{file}: the tensor '{Norm}' has the shape [2]; the model needs [64].",
            Refusal());
    }

    [Theory]
    [InlineData("qwen3", "vocab_size", 2_000_000_000, "Configuration and weights do not belong together")]
    [InlineData("qwen3", "num_hidden_layers", int.MaxValue, "must be at most 65536")]
    [InlineData("gpt2", "n_embd", 2_000_000_000, "more than this library can compute with")]
    public void Load_ConfigurationTooLargeForTheFiles_SaysSoBeforeMemoryIsTaken(
        string model, string key, int value, string expected)
    {
        Copy(model);
        string path = _folder.File("config.json");
        JsonNode config = JsonNode.Parse(File.ReadAllText(path))!;
        config[key] = value;
        File.WriteAllText(path, config.ToJsonString());
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnexpectedTensor_NamesIt()
    {
        Copy("qwen3");
        Rewrite(tensors => tensors["model.extra.weight"] = Small("model.extra.weight", ElementType.Float32, [2]));
        Assert.Contains("has unexpected tensors: model.extra.weight", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.norm.weight", ElementType.Float32, "has the shape [2]")]
    [InlineData("model.layers.0.self_attn.o_proj.weight", ElementType.Float32, "has the shape [2]")]
    public void Load_OtherShape_NamesTheTensor(string name, ElementType type, string expected)
    {
        Copy("qwen3");
        Rewrite(tensors => tensors[name] = Small(name, type, [2]));
        string message = Refusal();
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NamesWithoutTheFirstPart_GivesTheSameLogits()
    {
        Copy("qwen3");
        Rewrite(tensors =>
        {
            foreach (SafetensorsContent tensor in tensors.Values.ToArray())
            {
                tensors.Remove(tensor.Name);
                string name = tensor.Name.Replace("model.", "", StringComparison.Ordinal);
                tensors.Add(name, Renamed(tensor, name));
            }
        });

        Assert.Equal(Logits(Fixture.Folder("qwen3")), Logits(_folder.Path));
    }

    [Fact]
    public void Load_TiedHeadThatDiffers_IsRefused()
    {
        Copy("qwen2_bias_tied");
        Rewrite(tensors => tensors["lm_head.weight"] = Renamed(tensors["model.embed_tokens.weight"], "lm_head.weight"));
        Assert.Equal(Logits(Fixture.Folder("qwen2_bias_tied")), Logits(_folder.Path));
        Rewrite(tensors => tensors["lm_head.weight"] =
            Small("lm_head.weight", ElementType.Float32, tensors["model.embed_tokens.weight"].Shape));
        Assert.Contains("tie_word_embeddings is true", Refusal(), StringComparison.Ordinal);
    }

    private void Copy(string name)
    {
        foreach (string file in Directory.GetFiles(Fixture.Folder(name)))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }
    }

    private string Refusal() =>
        Assert.Throws<CheckpointException>(() => InferenceModel.Load(_folder.Path).Dispose()).Message;

    private void Rewrite(Action<Dictionary<string, SafetensorsContent>> change)
    {
        Dictionary<string, SafetensorsContent> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(_folder.File(Weights)))
        {
            tensors = file.Entries.Values.ToDictionary(
                entry => entry.Name,
                entry => SafetensorsContent.Of<byte>(
                    entry.Name, entry.DType, entry.Shape, file.Bytes(entry, 0, (int)entry.ByteLength).ToArray()));
        }

        change(tensors);
        SafetensorsFileWriter.Write(_folder.File(Weights), tensors.Values);
    }

    private static SafetensorsContent Renamed(SafetensorsContent tensor, string name)
    {
        using var bytes = new MemoryStream();
        tensor.Write(bytes);
        return SafetensorsContent.Of<byte>(name, tensor.DType, tensor.Shape, bytes.ToArray());
    }

    private static SafetensorsContent Small(string name, ElementType type, IReadOnlyList<long> shape) =>
        SafetensorsContent.Of<float>(name, type, shape, new float[shape.Aggregate(1L, (product, size) => product * size)]);

    private static float[] Logits(string folder)
    {
        using InferenceModel model = InferenceModel.Load(folder);
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        return session.Append(sequence, [1, 2, 3]).ToArray();
    }
}
