namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// Features of other models and of derived code, written down in files that do not use them: neutral while they are
/// off.
/// </summary>
internal static class FeatureKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        // Positions.
        .. KnownKey.Off(
            "use_mrope", "mrope_interleaved", "rope_interleaved", "rotary_interleaved", "use_alibi", "alibi",
            "use_dynamic_ntk"),
        .. KnownKey.Unset("mrope_section", "sliding_window_pattern", "_sliding_window_pattern", "attention_chunk_size"),
        .. KnownKey.AtOne("rope_ratio", "rope_condense_ratio", "rope_scaling_factor"),
        KnownKey.At("position_embedding_type", "\"rope\"", "\"rotary\""),

        // Attention.
        .. KnownKey.Off(
            "use_qk_norm", "qk_norm", "use_qk_layernorm", "qk_layernorm", "use_logn_attn", "logn_attn", "log_scale",
            "use_bidirectional_attention", "attn_output_gate"),
        .. KnownKey.Unset("attn_logit_softcapping", "query_pre_attn_scalar", "attention_multiplier"),
        KnownKey.At("is_causal", "true"),

        // Scales.
        .. KnownKey.AtOne(
            "embedding_multiplier", "residual_multiplier", "logits_scaling", "logit_scale", "lm_head_multiplier",
            "scale_emb"),
        .. KnownKey.Unset("final_logit_softcapping", "logits_soft_cap"),

        // Mixtures of experts, and heads that predict further tokens.
        .. KnownKey.Off("use_moe"),
        .. new[] { "num_experts", "num_local_experts", "num_experts_per_tok", "n_routed_experts", "n_shared_experts", "num_nextn_predict_layers" }
            .Select(name => KnownKey.At(name, "0")),

        // Other senses.
        .. KnownKey.Unset("vision_config", "audio_config", "text_config"),
    ];
}
