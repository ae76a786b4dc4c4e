using SparseExpansion.Testing;

namespace SparseExpansion.Models.Configuration;

public sealed class WindowReaderTests : IDisposable
{
    private const string Both = "\"layer_types\": [\"full_attention\", \"sliding_attention\"]";
    private const string AllFull = "\"layer_types\": [\"full_attention\", \"full_attention\"]";
    private const string AllSliding = "\"layer_types\": [\"sliding_attention\", \"sliding_attention\"]";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mistral", "\"sliding_window\": 64", 64)]
    [InlineData("mistral", "\"sliding_window\": 64, \"use_sliding_window\": true", 64)]
    [InlineData("mistral", "\"sliding_window\": 64, " + AllSliding, 64)]
    [InlineData("mistral", "\"sliding_window\": 128, " + Both, null)]
    [InlineData("mistral", "\"sliding_window\": null, \"use_sliding_window\": false, " + AllFull, null)]
    [InlineData("qwen2", "\"sliding_window\": 64", null)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": false, \"max_window_layers\": 1, " + AllFull, null)]
    [InlineData("qwen2", "\"sliding_window\": null, \"use_sliding_window\": true, \"max_window_layers\": 1", null)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true", null)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 2", null)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 0", 64)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 1, " + AllFull, null)]
    [InlineData("qwen2", "\"sliding_window\": 128, \"use_sliding_window\": true, \"max_window_layers\": 1", null)]
    [InlineData("llama", "\"sliding_window\": null, \"max_window_layers\": 1", null)]
    [InlineData("llama", "\"sliding_window\": 64, \"use_sliding_window\": false", null)]
    [InlineData("llama", "\"sliding_window\": 128", null)]
    [InlineData("llama", "\"use_sliding_window\": true", null)]
    [InlineData("gpt_neox", "\"sliding_window\": null, \"use_sliding_window\": false", null)]
    [InlineData("gpt_neox", "\"sliding_window\": 4096", null)]
    [InlineData("llama", "\"layer_types\": null", null)]
    public void Load_WindowOfAllLayersOrNone_IsRead(string type, string keys, int? expected) =>
        Assert.Equal(expected, Load(type, keys).Layers[0].Window);

    [Theory]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 2, " + Both, null, 64)]
    [InlineData("qwen2", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 1", null, 64)]
    [InlineData("qwen3", "\"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 0", 64, 64)]
    [InlineData("gemma2", "\"sliding_window\": 64", 64, null)]
    [InlineData("gemma2", "\"sliding_window\": 64, " + Both, null, 64)]
    [InlineData("smollm3", "\"sliding_window\": 64, \"use_sliding_window\": true, \"no_rope_layers\": [1, 0]", null, 64)]
    [InlineData("phi3", "\"sliding_window\": 64", 64, 64)]
    [InlineData("mixtral", "\"num_local_experts\": 2, \"num_experts_per_tok\": 1, \"sliding_window\": 64", 64, 64)]
    public void Load_WindowByLayer_IsRead(string type, string keys, int? first, int? second) =>
        Assert.Equal([first, second], Load(type, keys).Layers.Select(layer => layer.Window));

    [Theory]
    [InlineData("mistral", "\"sliding_window\": 64, \"use_sliding_window\": false", "use_sliding_window")]
    [InlineData("mistral", "\"sliding_window\": 64, " + Both, "layer_types")]
    [InlineData("mistral", "\"sliding_window\": 64, " + AllFull, "layer_types")]
    [InlineData("mistral", "\"sliding_window\": null, " + AllSliding, "layer_types")]
    [InlineData("qwen3", "\"sliding_window\": 64, \"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\"]", "layer_types")]
    [InlineData("qwen2", "\"sliding_window\": 64, " + Both, "layer_types")]
    [InlineData("llama", "\"sliding_window\": 64", "sliding_window")]
    [InlineData("llama", "\"sliding_window\": 0", "sliding_window")]
    [InlineData("gpt_neox", "\"sliding_window\": 127", "sliding_window")]
    [InlineData("llama", "\"layer_types\": [\"chunked_attention\", \"full_attention\"]", "layer_types")]
    public void Load_WindowThatTheModelTypeCannotHave_IsRefused(string type, string keys, string named)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Load(type, keys));
        Assert.Contains($"'{named}'", error.Message, StringComparison.Ordinal);
    }

    private ModelConfig Load(string type, string keys)
    {
        File.WriteAllText(_folder.File("config.json"), $$"""
            {
              "model_type": "{{type}}", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": null,
              "vocab_size": 100, "max_position_embeddings": 128, {{keys}}
            }
            """);
        return ModelConfig.Load(_folder.Path);
    }
}
