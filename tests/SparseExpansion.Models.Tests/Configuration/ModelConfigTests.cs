using SparseExpansion.Execution;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Models.Configuration;

public sealed class ModelConfigTests : IDisposable
{
    private const string Llama = """
        "model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "vocab_size": 100, "max_position_embeddings": 128
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_MinimalLlama_HasTheModelTypesDefaults()
    {
        ModelConfig config = Load(Llama);
        Assert.Equal(4, config.KeyValueHeadCount);
        Assert.Equal(8, config.HeadDimension);
        Assert.Equal(10000, config.Layers[0].Rotary!.Theta);
        Assert.Equal(1e-6, config.NormEpsilon);
        Assert.False(config.TieWordEmbeddings || config.QueryKeyValueBias || config.FeedForwardBias);
        Assert.Empty(config.EosIds);
    }

    [Fact]
    public void Load_NewerSpellings_AreUnderstood()
    {
        ModelConfig config = Load(Llama + """
            , "dtype": "bfloat16", "head_dim": 16, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 5000.0},
            "eos_token_id": [3, 4], "layer_types": ["full_attention", "full_attention"]
            """);
        Assert.Equal(ElementType.BFloat16, config.DType);
        Assert.Equal(16, config.HeadDimension);
        Assert.Equal(
            new RotaryOptions { Dimensions = 16, Theta = 5000, Scaling = RotaryScaling.Linear, Factor = 2 },
            config.Layers[0].Rotary);
        Assert.Equal([3, 4], config.EosIds);
    }

    [Fact]
    public void Load_NewerGptNeoX_ReadsPartialRotaryFactor()
    {
        ModelConfig config = Load("""
            "model_type": "gpt_neox", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "vocab_size": 100, "max_position_embeddings": 128, "partial_rotary_factor": 0.5, "rope_theta": 2000, "attention_bias": false
            """);
        Assert.Equal((8, 2000.0), (config.Layers[0].Rotary!.Dimensions, config.Layers[0].Rotary!.Theta));
        Assert.False(config.QueryKeyValueBias);
    }

    [Theory]
    [InlineData("\"sliding_window\": null", null)]
    [InlineData("\"sliding_window\": 64", 64)]
    [InlineData("\"sliding_window\": 128", null)]
    [InlineData("\"use_cache\": true", null)]
    public void Load_Mistral_ReadsTheWindow(string key, int? expected)
    {
        ModelConfig config =
            Load(Llama.Replace("llama", "mistral", StringComparison.Ordinal) + ", \"num_key_value_heads\": 2, " + key);
        Assert.Equal(expected, config.Layers[0].Window);
    }

    [Fact]
    public void Load_GenerationConfig_AddsEndIds()
    {
        File.WriteAllText(_folder.File("generation_config.json"), """{"eos_token_id": [5, 6], "bos_token_id": 1, "temperature": 0.6}""");
        ModelConfig config = Load(Llama + ", \"eos_token_id\": 5");
        Assert.Equal([5, 6], config.EosIds);
        Assert.Equal(1, config.BosId);
    }

    [Theory]
    [InlineData("\"use_qk_norm\": true", "use_qk_norm")]
    [InlineData("\"new_key\": null", "new_key")]
    [InlineData("\"hidden_act\": \"quick_gelu\"", "hidden_act")]
    [InlineData("\"rope_scaling\": {\"type\": \"spiral\", \"factor\": 2.0}", "rope_type")]
    [InlineData("\"rope_scaling\": {\"type\": \"dynamic\"}", "factor")]
    [InlineData("\"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2, \"short_factor\": [1], \"long_factor\": [1]}", "short_factor")]
    [InlineData("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 1, \"beta_slow\": 2}", "BetaFast")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\"}", "factor")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"beta_fast\": 32}", "beta_fast")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": -2}", "Factor")]
    [InlineData("\"rope_scaling\": 5", "rope_scaling")]
    [InlineData("\"quantization_config\": {\"bits\": 4}", "quantization_config")]
    [InlineData("\"auto_map\": {\"AutoModel\": \"x\"}", "auto_map")]
    [InlineData("\"torch_dtype\": \"float8\"", "torch_dtype")]
    [InlineData("\"num_key_value_heads\": 3", "KeyValueHeadCount")]
    [InlineData("\"num_key_value_heads\": 0", "num_key_value_heads")]
    [InlineData("\"num_key_value_heads\": \"4\"", "num_key_value_heads")]
    [InlineData("\"tie_word_embeddings\": 1", "tie_word_embeddings")]
    [InlineData("\"layer_types\": [\"sliding_attention\"]", "layer_types")]
    [InlineData("\"eos_token_id\": \"end\"", "eos_token_id")]
    [InlineData("\"hidden_size\": 32", "hidden_size")]
    public void Load_UnsupportedOrWrongKey_NamesFileAndKey(string key, string named)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Load(Llama + ", " + key));
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"model_type\": \"bert\"", "bert")]
    [InlineData("\"hidden_size\": 4", "model_type")]
    [InlineData("\"model_type\": \"llama\"", "hidden_size")]
    public void Load_WrongOrIncompleteModelType_NamesIt(string content, string named) =>
        Assert.Contains(
            named, Assert.Throws<CheckpointException>(() => Load(content)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_QwenWithSlidingWindow_HasItInTheLastLayers()
    {
        string qwen = Llama.Replace("llama", "qwen2", StringComparison.Ordinal) + ", \"num_key_value_heads\": 2, \"sliding_window\": 64, \"max_window_layers\": 1";
        Assert.Equal([null, null], Load(qwen).Layers.Select(layer => layer.Window));
        Assert.Equal([null, 64], Load(qwen + ", \"use_sliding_window\": true").Layers.Select(layer => layer.Window));
    }

    [Fact]
    public void Load_MissingOrBrokenFile_Throws()
    {
        Assert.Throws<CheckpointException>(() => ModelConfig.Load(_folder.Path));
        File.WriteAllText(_folder.File("config.json"), "[1]");
        Assert.Throws<CheckpointException>(() => ModelConfig.Load(_folder.Path));
        File.WriteAllText(_folder.File("config.json"), "{");
        Assert.Throws<CheckpointException>(() => ModelConfig.Load(_folder.Path));
    }

    private ModelConfig Load(string content)
    {
        File.WriteAllText(_folder.File("config.json"), "{" + content + "}");
        return ModelConfig.Load(_folder.Path);
    }
}
