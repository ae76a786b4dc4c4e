using System.Collections.Frozen;

namespace SparseExpansion.Transformers;

/// <summary>Keys of <c>config.json</c> that do not change what a model computes at inference.</summary>
internal static class IrrelevantKeys
{
    /// <summary>Training-time settings, bookkeeping, and generation settings that older checkpoints keep here.</summary>
    public static readonly FrozenSet<string> All = new[]
    {
        // Bookkeeping.
        "_name_or_path", "_commit_hash", "_from_model_config", "architectures", "transformers_version", "tokenizer_class",
        "unsloth_version", "unsloth_fixed", "finetuning_task", "task_specific_params", "id2label", "label2id", "num_labels", "problem_type",

        // How outputs are handed out, and which implementation computes them.
        "use_cache", "return_dict", "output_attentions", "output_hidden_states", "torchscript", "use_bfloat16", "tf_legacy_loss",
        "_attn_implementation", "_attn_implementation_autoset", "attn_implementation", "chunk_size_feed_forward",
        "is_decoder", "cross_attention_hidden_size", "tie_encoder_decoder", "pretraining_tp",

        // Training.
        "attention_dropout", "hidden_dropout", "classifier_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "gradient_checkpointing",

        // Special tokens that the forward pass does not know.
        "pad_token_id", "sep_token_id", "decoder_start_token_id", "pad_token", "prefix",

        // Generation.
        "temperature", "top_k", "top_p", "typical_p", "do_sample", "max_length", "min_length", "max_new_tokens", "max_sequence_length",
        "num_beams", "num_beam_groups", "diversity_penalty", "length_penalty", "repetition_penalty", "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate",
        "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty",
        "suppress_tokens", "begin_suppress_tokens", "early_stopping",
    }.ToFrozenSet(StringComparer.Ordinal);
}
