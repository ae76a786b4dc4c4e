namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// Defaults of generation, which older checkpoints keep in <c>config.json</c>. The caller's options decide instead.
/// </summary>
internal static class GenerationKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        // Lengths and ends.
        .. KnownKey.Irrelevant(
            "max_length", "min_length", "max_new_tokens", "min_new_tokens", "max_time", "early_stopping",
            "stop_strings", "forced_bos_token_id",
            "forced_eos_token_id", "forced_decoder_ids"),

        // Sampling and penalties.
        .. KnownKey.Irrelevant(
            "do_sample", "temperature", "top_k", "top_p", "top_h", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff",
            "repetition_penalty",
            "encoder_repetition_penalty", "presence_penalty", "frequency_penalty", "no_repeat_ngram_size",
            "encoder_no_repeat_ngram_size", "bad_words_ids",
            "force_words_ids", "suppress_tokens", "begin_suppress_tokens", "sequence_bias", "renormalize_logits",
            "remove_invalid_values",
            "exponential_decay_length_penalty", "guidance_scale", "token_healing", "watermarking_config"),

        // Searches.
        .. KnownKey.Irrelevant(
            "num_beams", "num_beam_groups", "diversity_penalty", "length_penalty", "penalty_alpha", "constraints",
            "dola_layers", "low_memory",
            "num_return_sequences", "num_assistant_tokens", "num_assistant_tokens_schedule",
            "assistant_confidence_threshold", "assistant_early_exit",
            "assistant_lookbehind", "target_lookbehind", "prompt_lookup_num_tokens", "max_matching_ngram_size",
            "is_assistant"),

        // Outputs and caches.
        .. KnownKey.Irrelevant(
            "output_scores", "output_logits", "return_dict_in_generate", "cache_implementation", "cache_config",
            "return_legacy_cache", "prefill_chunk_size",
            "compile_config", "disable_compile", "generation_kwargs"),
    ];
}
