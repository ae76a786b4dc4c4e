using SparseExpansion.Models;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>A family of which there is no checkpoint among the fixtures: names, shapes and parts.</summary>
public sealed class Starcoder2Tests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CausalLanguageModel _model;

    public Starcoder2Tests()
    {
        File.WriteAllText(_folder.File("config.json"), """
            {
              "model_type": "starcoder2", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 2, "vocab_size": 60, "max_position_embeddings": 64, "sliding_window": 5, "norm_epsilon": 1e-5,
              "rope_theta": 100000, "use_bias": true, "hidden_act": "gelu_pytorch_tanh"
            }
            """);
        _model = CausalLanguageModel.Create(ModelConfig.Load(_folder.Path));
        _model.InitializeWeights(seed: 3);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void StateDict_HasTheNamesAndShapesOfTheCheckpoint()
    {
        Dictionary<string, string> shapes = _model.state_dict().ToDictionary(
            entry => entry.Key, entry => string.Join(' ', entry.Value.shape));
        Assert.Equal(3 + (2 * 16), shapes.Count);
        Assert.DoesNotContain("lm_head.weight", shapes.Keys);
        foreach ((string name, string shape) in new[]
        {
            ("model.embed_tokens.weight", "60 32"), ("model.norm.bias", "32"), ("model.layers.1.mlp.c_fc.weight", "48 32"),
            ("model.layers.1.mlp.c_proj.bias", "32"), ("model.layers.0.self_attn.k_proj.weight", "16 32"),
            ("model.layers.0.self_attn.o_proj.bias", "32"), ("model.layers.0.input_layernorm.weight", "32"),
            ("model.layers.0.post_attention_layernorm.bias", "32"),
        })
        {
            Assert.Equal(shape, shapes[name]);
        }
    }

    [Fact]
    public void Forward_InPieces_GivesWhatItGivesAtOnceAndForgetsBeyondItsWindow()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using KeyValueCache cache = _model.CreateCache();
        Tensor ids = (Tensors.TensorArithmetic.Range(20, int64) * Tensors.Scalars.Of(7)).remainder(Tensors.Scalars.Of(60)).unsqueeze(0);
        Tensor whole = _model.call(ids);
        Tensor pieces = cat([_model.forward(ids.narrow(1, 0, 9), cache), _model.forward(ids.narrow(1, 9, 1), cache), _model.forward(ids.narrow(1, 10, 10), cache)], 1);
        Assert.InRange((pieces - whole).abs().max().item<float>(), 0, 1e-5f);

        // Two layers with windows of 5 reach back 8 tokens, and rotary positions are relative.
        Tensor Last(long tokens) => _model.call(ids.narrow(1, 20 - tokens, tokens)).narrow(1, tokens - 1, 1);
        Tensor last = whole.narrow(1, 19, 1);
        Assert.InRange((Last(9) - last).abs().max().item<float>(), 0, 1e-5f);
        Assert.InRange((Last(8) - last).abs().max().item<float>(), 1e-4f, 10);
    }
}
