using SparseExpansion.Execution;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Models.Configuration;

public sealed class RotarySpellingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"rotary_pct\": 0.5", 8, 10000)]
    [InlineData("\"partial_rotary_factor\": 0.5", 8, 10000)]
    [InlineData("\"rotary_pct\": 0.5, \"partial_rotary_factor\": 0.5, \"rotary_emb_base\": 500, \"rope_theta\": 500.0", 8, 500)]
    [InlineData("\"rotary_emb_base\": 500, \"rope_parameters\": {\"rope_theta\": 500, \"partial_rotary_factor\": 0.5}, \"rotary_pct\": 0.5", 8, 500)]
    [InlineData("\"rope_scaling\": null, \"rope_parameters\": null", 4, 10000)]
    [InlineData("\"rope_scaling\": {\"type\": \"default\", \"rope_type\": \"default\", \"factor\": 1.0, \"mrope_section\": null}", 4, 10000)]
    public void Load_GptNeoX_ReadsAllSpellings(string keys, int dimensions, double theta) =>
        Assert.Equal(new RotaryOptions { Dimensions = dimensions, Theta = theta }, Load("gpt_neox", keys).Layers[0].Rotary);

    [Theory]
    [InlineData("\"rotary_pct\": 0.5, \"partial_rotary_factor\": 0.25", "'rotary_pct' is 0.5", "'partial_rotary_factor' is 0.25")]
    [InlineData("\"rotary_emb_base\": 10000, \"rope_theta\": 500000", "'rotary_emb_base' is 10000", "'rope_theta' is 500000")]
    [InlineData("\"rotary_pct\": 0.5, \"rope_parameters\": {\"partial_rotary_factor\": 0.25}", "'rotary_pct' is 0.5", "'rope_parameters.partial_rotary_factor' is 0.25")]
    [InlineData("\"rope_scaling\": {\"rope_theta\": 5}, \"rope_parameters\": {\"rope_theta\": 6}", "'rope_scaling.rope_theta' is 5", "'rope_parameters.rope_theta' is 6")]
    [InlineData(
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}, \"rope_parameters\": {\"rope_type\": \"default\"}",
        "'rope_scaling' is {\"type\": \"linear\", \"factor\": 2}", "'rope_parameters' is {\"rope_type\": \"default\"}")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"rope_type\": \"default\", \"factor\": 2}", "'rope_type' is \"default\"", "'type' is \"linear\"")]
    [InlineData("\"dtype\": \"float32\", \"torch_dtype\": \"bfloat16\"", "'dtype' is Float32", "'torch_dtype' is BFloat16")]
    public void Load_SpellingsDisagree_NamesBothKeysAndValues(string keys, string first, string second)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Load("gpt_neox", keys));
        Assert.Contains(first, error.Message, StringComparison.Ordinal);
        Assert.Contains(second, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TypeInBothSpellings_IsReadOnce() =>
        Assert.Equal(
            ElementType.BFloat16, Load("llama", "\"dtype\": \"bfloat16\", \"torch_dtype\": \"bfloat16\"").DType);

    [Fact]
    public void Load_ParametersWithoutKind_LeaveTheScalingToTheOtherSpelling()
    {
        RotaryOptions? rotary = Load("llama", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"finetuned\": true}, \"rope_parameters\": {\"rope_theta\": 500}").Layers[0].Rotary;
        Assert.Equal(
            new RotaryOptions { Dimensions = 16, Theta = 500, Scaling = RotaryScaling.Linear, Factor = 2 }, rotary);
    }

    [Theory]
    [InlineData("\"rope_scaling\": {\"type\": \"default\", \"mrope_section\": [2, 2, 4]}", "mrope_section", "[2, 2, 4]")]
    [InlineData("\"rope_scaling\": {\"type\": \"default\", \"factor\": 4}", "factor", "4")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4, \"low_freq_factor\": 1}", "low_freq_factor", "not supported")]
    [InlineData("\"rotary_pct\": 0", "rotary_pct", "larger than 0")]
    [InlineData("\"head_dim\": 32", "head_dim", "supported is 16")]
    [InlineData("\"num_key_value_heads\": 2", "num_key_value_heads", "supported is 4")]
    public void Load_SettingThatMatters_IsRefused(string keys, string key, string said)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Load("gpt_neox", keys));
        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    private ModelConfig Load(string type, string keys)
    {
        File.WriteAllText(_folder.File("config.json"), $$"""
            {
              "model_type": "{{type}}", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
              "vocab_size": 100, "max_position_embeddings": 128, {{keys}}
            }
            """);
        return ModelConfig.Load(_folder.Path);
    }
}
