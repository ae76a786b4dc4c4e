using System.Text.Json;

namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// The fields that every configuration of the transformers library may carry, and the traces of the programs that wrote
/// the file.
/// </summary>
internal static class BaseKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        // Where the file comes from.
        .. KnownKey.Irrelevant(
            "_name_or_path", "name_or_path", "_commit_hash", "_from_model_config", "_auto_class", "architectures",
            "transformers_version", "tokenizer_class",
            "processor_class", "model_name", "base_model", "base_model_name_or_path", "unsloth_version",
            "unsloth_fixed", "is_llama_config", "transformers.js_config",
            "_pre_quantization_dtype", "custom_pipelines", "language"),

        // Heads for classification, which are not loaded.
        .. KnownKey.Irrelevant(
            "finetuning_task", "task_specific_params", "id2label", "label2id", "num_labels", "_num_labels",
            "problem_type"),

        // How results are handed out, and which implementation computes them. Products in slices are the same products.
        .. KnownKey.Irrelevant(
            "use_cache", "return_dict", "use_return_dict", "output_attentions", "output_hidden_states", "output_past",
            "torchscript", "use_bfloat16", "tf_legacy_loss",
            "_attn_implementation", "_attn_implementation_internal", "_attn_implementation_autoset",
            "attn_implementation", "_experts_implementation",
            "_experts_implementation_internal", "experts_implementation", "_flash_attn_2_enabled",
            "use_flash_attention", "use_flash_attention_2", "use_flash_attn",
            "use_flashattn", "use_memory_efficient_attention", "use_sdpa", "use_xformers", "chunk_size_feed_forward",
            "pretraining_tp", "base_model_tp_plan",
            "base_model_pp_plan", "tp_plan", "tp_size", "device_map", "attention_softmax_in_fp32",
            "attn_softmax_in_fp32"),

        // A decoder is one with or without being told; the rest speaks of an encoder, which there is not.
        .. KnownKey.Irrelevant("is_decoder", "tie_encoder_decoder", "cross_attention_hidden_size"),
        .. KnownKey.Off("is_encoder_decoder", "add_cross_attention"),
        KnownKey.At("pruned_heads", "{}"),
        KnownKey.At("per_layer_config", "{}"),

        // Special tokens that the forward pass does not know.
        .. KnownKey.Irrelevant(
            "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id", "decoder_start_token_id",
            "bos_token", "eos_token", "pad_token", "unk_token",
            "prefix"),

        // Lengths that no layer looks at: max_position_embeddings is the one that counts.
        .. KnownKey.Irrelevant(
            "max_sequence_length", "max_seq_length", "max_seq_len", "model_max_length", "seq_length", "seq_len",
            "original_max_position_embeddings"),

        // Weights in another form than the one that is loaded.
        .. new[] { "quantization_config", "quantization", "compression_config" }.Select(name => KnownKey.Explained(
            name, "is set; quantized checkpoints are not supported, use the float16, bfloat16 or float32 one")),
        .. KnownKey.Off("load_in_8bit", "load_in_4bit"),
        KnownKey.At("transformers_weights", "\"model.safetensors\"", "\"model.safetensors.index.json\""),
        PublishedCode(),
    ];

    /// <summary>
    /// The rule for <c>auto_map</c>. Types that were published with code of their own, before the transformers library
    /// had them, keep the names of that code in their files, although the library's classes compute the same.
    /// </summary>
    /// <param name="classes">These names, such as "modeling_phi3.Phi3ForCausalLM"; a file may put the repository and
    /// two dashes before them.</param>
    public static KeyValuePair<string, KnownKey> PublishedCode(params string[] classes) => KnownKey.Explained(
        "auto_map",
        "names a configuration or model class; models that bring code of their own are not supported. Where the code computes what the transformers library's own class does, remove the key",
        map => map.ValueKind == JsonValueKind.Object && map.EnumerateObject().All(entry => IsIdle(entry, classes)));

    /// <summary>Code for tokenizers, processors and heads is not run.</summary>
    private static bool IsIdle(JsonProperty entry, string[] classes) =>
        entry.Name is not ("AutoConfig" or "AutoModel" or "AutoModelForCausalLM")
        || (entry.Value.ValueKind == JsonValueKind.String && classes.Contains(entry.Value.GetString()!.Split("--")[^1]));
}
