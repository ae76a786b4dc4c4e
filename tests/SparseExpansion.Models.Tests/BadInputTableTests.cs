using System.Text.Json.Nodes;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Testing;

namespace SparseExpansion.Models;

/// <summary>
/// The messages about configurations of every model type, word for word: <c>bad-inputs.txt</c>. A row is the type and
/// the keys that its file gets.
/// </summary>
public sealed class BadInputTableTests : IDisposable
{
    private static readonly (string Type, string Keys)[] s_cases =
    [
        ("llama", """{"model_type": "bert"}"""),
        ("llama", """{"model_type": "gemma3"}"""),
        ("llama", """{"quantization_config": {"bits": 4}}"""),
        ("gemma2", """{"query_pre_attn_scalar": 0}"""),
        ("gemma2", """{"attn_logit_softcapping": -1}"""),
        ("gemma2", """{"use_bidirectional_attention": true}"""),
        ("gemma2", """{"layer_types": ["sliding_attention", "full_attention"]}"""),
        ("gemma3_text", """{"sliding_window_pattern": 6, "_sliding_window_pattern": 5}"""),
        ("gemma3_text", """{"rope_parameters": {"sliding_attention": {"rope_theta": 5000}}}"""),
        ("gemma3_text", """{"rope_parameters": {"full_attention": {"rope_type": "default"}, "factor": 2}}"""),
        ("gemma3_text", """{"vision_config": {}}"""),
        ("gpt2", """{"n_head": 5}"""),
        ("gpt2", """{"n_special": 2}"""),
        ("gpt2", """{"add_cross_attention": true}"""),
        ("gpt2", """{"activation_function": "tanh"}"""),
        ("granite", """{"logits_scaling": 0}"""),
        ("granite", """{"num_local_experts": 40}"""),
        ("llama", """{"num_key_value_heads": 3}"""),
        ("gemma2", """{"final_logit_softcapping": "30"}"""),
        ("mixtral", """{"num_experts_per_tok": 9}"""),
        ("mixtral", """{"num_local_experts": null}"""),
        ("mixtral", """{"attention_bias": true}"""),
        ("olmo2", """{"clip_qkv": 8}"""),
        ("olmo2", """{"sliding_window": 1024}"""),
        ("opt", """{"scale_embeddings": true}"""),
        ("opt", """{"layer_norm_elementwise_affine": false}"""),
        ("phi", """{"partial_rotary_factor": 1.5}"""),
        ("phi", """{"auto_map": {"AutoModelForCausalLM": "modeling_mixformer_sequential.MixFormerSequentialForCausalLM"}}"""),
        ("phi3", """{"rope_scaling": {"type": "longrope", "short_factor": [1, 1], "long_factor": [1, 1]}}"""),
        ("phi3", """{"full_attn_mod": 2}"""),
        ("phi3", """{"lm_head_bias": true}"""),
        ("phi3", """{"blocksparse_block_size": 64}"""),
        ("qwen3", """{"rope_scaling": {"type": "yarn", "factor": 4, "beta_fast": 1, "beta_slow": 32}}"""),
        ("qwen3", """{"rope_scaling": {"type": "spiral"}}"""),
        ("qwen3", """{"head_dim": 31}"""),
        ("qwen3_moe", """{"num_experts": 8, "num_local_experts": 16}"""),
        ("qwen3_moe", """{"moe_intermediate_size": 0}"""),
        ("qwen3_moe", """{"mlp_only_layers": [-1]}"""),
        ("qwen3_moe", """{"shared_expert_intermediate_size": 64}"""),
        ("smollm3", """{"no_rope_layers": [1, 0]}"""),
        ("smollm3", """{"no_rope_layers": [1, 1, 1, 2, 1, 1]}"""),
        ("stablelm", """{"partial_rotary_factor": 0.25, "rope_pct": 0.5}"""),
        ("stablelm", """{"rotary_scaling_factor": 2.0}"""),
        ("starcoder2", """{"mlp_type": "gated"}"""),
        ("starcoder2", """{"norm_type": "rms_norm"}"""),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Configuration_BadKey_SaysWhatTheTableSays() =>
        MessageTable.Check("SparseExpansion.Models.Tests", s_cases.Select(row => ($"{row.Type} {row.Keys}", Message(row.Type, row.Keys))));

    private string Message(string type, string keys)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => PublishedConfig.Load(_folder, PublishedConfig.ByType[type], config =>
        {
            foreach ((string key, JsonNode? value) in JsonNode.Parse(keys)!.AsObject())
            {
                config[key] = value?.DeepClone();
            }
        }));
        return error.Message.Replace(_folder.Path, "{model}", StringComparison.Ordinal);
    }
}
