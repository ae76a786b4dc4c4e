using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

/// <summary>Checkpoints as they were published, with the names and buffers of their time.</summary>
public sealed class OlderFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _scratch = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_Gpt2AsPublished_GivesTheReferenceLogits(bool map)
    {
        Fixture.CopyModel("gpt2", _folder.Path);
        Fixture.Edit(
            _folder.Path, "config.json", "\"dtype\": \"bfloat16\",",
            "\"n_ctx\": 64, \"task_specific_params\": {\"text-generation\": {\"do_sample\": true, \"max_length\": 50}},");
        Rewrite(tensors =>
        {
            RemovePrefix(tensors, "transformer.");
            for (int layer = 0; layer < 2; layer++)
            {
                tensors[$"h.{layer}.attn.bias"] = ones(1, 1, 64, 64).tril();
                tensors[$"h.{layer}.attn.masked_bias"] = full([], Scalars.Of(-10000), dtype: float32);
            }
        });
        AssertReferenceLogits("gpt2", map);
    }

    [Theory]
    [InlineData("opt", "model.", false)]
    [InlineData("opt", "model.", true)]
    [InlineData("gpt2", "transformer.", true)]
    [InlineData("gemma2", "model.", false)]
    [InlineData("phi3", "model.", true)]
    [InlineData("qwen3_moe", "model.", false)]
    public void Load_NamesWithoutTheirFirstPart_GivesTheReferenceLogits(string name, string prefix, bool map)
    {
        Fixture.CopyModel(name, _folder.Path);
        Rewrite(tensors => RemovePrefix(tensors, prefix));
        AssertReferenceLogits(name, map);
    }

    [Theory]
    [InlineData("opt", "model.decoder.embed_tokens.weight", false)]
    [InlineData("gpt2", "transformer.wte.weight", false)]
    [InlineData("gpt2", "transformer.wte.weight", true)]
    [InlineData("gemma3_text", "model.embed_tokens.weight", true)]
    public void Load_TiedHeadThatIsStored_IsTheEmbedding(string name, string embedding, bool map)
    {
        Fixture.CopyModel(name, _folder.Path);
        Rewrite(tensors => tensors["lm_head.weight"] = tensors[embedding].clone());
        AssertReferenceLogits(name, map);
    }

    [Theory]
    [InlineData("opt", "model.decoder.embed_tokens.weight")]
    [InlineData("gpt2", "transformer.wte.weight")]
    public void Load_TiedHeadThatDiffers_IsRefused(string name, string embedding)
    {
        Fixture.CopyModel(name, _folder.Path);
        Rewrite(tensors => tensors["lm_head.weight"] = tensors[embedding] * Scalars.Of(2));
        CheckpointException error = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path));
        Assert.Contains("tie_word_embeddings is true, but '", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt2", "transformer.h.0.attn.c_attn.bias")]
    [InlineData("opt", "model.decoder.layers.1.fc2.weight")]
    public void Load_TensorInBothSpellings_IsRefusedIfItDiffers(string name, string tensor)
    {
        Fixture.CopyModel(name, _folder.Path);
        Rewrite(tensors => tensors[tensor[(tensor.IndexOf('.', StringComparison.Ordinal) + 1)..]] = tensors[tensor] * Scalars.Of(2));
        CheckpointException error = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path));
        Assert.Contains($"differs from another one that also stands for '{tensor}'", error.Message, StringComparison.Ordinal);
    }

    private void AssertReferenceLogits(string name, bool map)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(Fixture.Model(name), "expected.safetensors"));
        Tensor expected = reader.Read("logits").to(float64);
        using CausalLanguageModel model = PretrainedModel.Load(
            _folder.Path, map ? new LoadOptions { MapDenseWeights = true, ScratchFolder = _scratch.Path } : null);
        Tensor logits = model.call(reader.Read("input_ids")).to(float64);
        Assert.InRange(((logits - expected).norm() / expected.norm()).item<double>(), 0, 1e-5);
    }

    private static void RemovePrefix(Dictionary<string, Tensor> tensors, string prefix)
    {
        string[] names = [.. tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
        Assert.NotEmpty(names);
        foreach (string name in names)
        {
            tensors.Remove(name, out Tensor? tensor);
            tensors.Add(name[prefix.Length..], tensor!);
        }
    }

    private void Rewrite(Action<Dictionary<string, Tensor>> change) => Fixture.Rewrite(_folder.Path, change);
}
