using SparseExpansion.Execution;

namespace SparseExpansion.Comparison;

/// <summary>Sizes of the compared models: a few blocks of a Llama.</summary>
/// <param name="Blocks">Transformer blocks.</param>
/// <param name="Hidden">Width of a token.</param>
/// <param name="Intermediate">Width inside of the feed-forward layer.</param>
/// <param name="Heads">Heads of the queries.</param>
/// <param name="KeyValueHeads">Heads of keys and values.</param>
/// <param name="Vocabulary">Tokens.</param>
internal sealed record ModelShape(
    int Blocks, int Hidden, int Intermediate, int Heads, int KeyValueHeads, int Vocabulary)
{
    /// <summary>Makes queries look at few tokens. With weights as small as the others all look at the mean of all tokens,
    /// and routers behind the attention send whole texts to one expert.</summary>
    private const float AttentionGain = 3;

    /// <summary>Six blocks of TinyLlama-1.1B with a small vocabulary, so that the blocks are what is measured.</summary>
    public static ModelShape TinyLlama { get; } = new(6, 2048, 5632, 32, 4, 2048);

    public int HeadWidth => Hidden / Heads;

    /// <summary>Rows of the key and of the value projection.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadWidth;

    /// <summary>The linears of one block; those of one input group follow each other.</summary>
    public IReadOnlyList<LinearShape> Linears =>
    [
        new("self_attn.q_proj", "attn_q", 0, Hidden, Hidden, AttentionGain),
        new("self_attn.k_proj", "attn_k", 0, KeyValueWidth, Hidden, AttentionGain),
        new("self_attn.v_proj", "attn_v", 0, KeyValueWidth, Hidden),
        new("self_attn.o_proj", "attn_output", 1, Hidden, Hidden),
        new("mlp.gate_proj", "ffn_gate", 2, Intermediate, Hidden),
        new("mlp.up_proj", "ffn_up", 2, Intermediate, Hidden),
        new("mlp.down_proj", "ffn_down", 3, Hidden, Intermediate),
    ];

    /// <summary>The file <c>config.json</c> of this model.</summary>
    /// <param name="type">Type of the dense weights.</param>
    public string ConfigText(ElementType type) => $$"""
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": {{Hidden}}, "intermediate_size": {{Intermediate}},
          "num_attention_heads": {{Heads}}, "num_key_value_heads": {{KeyValueHeads}}, "vocab_size": {{Vocabulary}}, "max_position_embeddings": 2048,
          "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false,
          "torch_dtype": "{{(type == ElementType.BFloat16 ? "bfloat16" : "float32")}}", "bos_token_id": 1, "eos_token_id": 2, "num_hidden_layers": {{Blocks}}
        }

        """;
}
