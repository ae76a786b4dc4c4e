namespace SparseExpansion.Transformers;

/// <summary>Reads config.json of Llama, Mistral and Qwen2. Missing keys have the defaults of those model types.</summary>
internal static class LlamaConfigReader
{
    /// <summary>Reads the keys that belong to this architecture.</summary>
    public static ModelConfig Read(ConfigObject config, string type)
    {
        int hidden = config.RequiredInt("hidden_size");
        int heads = config.RequiredInt("num_attention_heads");
        int headDimension = config.OptionalInt("head_dim") ?? WholeHeads(config, hidden, heads);
        bool attentionBias = config.Bool("attention_bias", false);
        return new ModelConfig
        {
            Architecture = ModelArchitecture.Llama,
            ModelType = type,
            VocabularySize = config.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.RequiredInt("intermediate_size"),
            LayerCount = config.RequiredInt("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = config.OptionalInt("num_key_value_heads")
                ?? (type == "llama" ? heads : throw config.Error("num_key_value_heads", "is missing")),
            HeadDimension = headDimension,
            MaxPositions = config.RequiredInt("max_position_embeddings"),
            Rotary = RotaryReader.Read(config, headDimension, "rope_theta", partialKey: null, defaultPartial: 1),
            NormEpsilon = config.OptionalNumber("rms_norm_eps") ?? 1e-6,
            Activation = ModelConfigReader.ReadActivation(config, "hidden_act", "silu"),
            QueryKeyValueBias = attentionBias || type == "qwen2",
            AttentionOutputBias = attentionBias,
            FeedForwardBias = config.Bool("mlp_bias", false),
            SlidingWindow = ReadWindow(config, type),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", false),
        };
    }

    /// <summary>Features of a head where the heads share the hidden size evenly.</summary>
    public static int WholeHeads(ConfigObject config, int hidden, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw config.Error("num_attention_heads", $"is {heads}, which does not divide hidden_size {hidden}");

    private static int? ReadWindow(ConfigObject config, string type)
    {
        int? window = type switch
        {
            // Null means no window; a file without the key means Mistral 7B's first release.
            "mistral" => config.Contains("sliding_window") ? config.OptionalInt("sliding_window") : 4096,
            "qwen2" => ReadUnusedQwenWindow(config),
            _ => null,
        };
        string expected = window is null ? "full_attention" : "sliding_attention";
        if (config.Strings("layer_types").Any(layer => layer != expected))
        {
            throw config.Error("layer_types", $"holds other layers than '{expected}'; mixed attention is not supported");
        }

        return window;
    }

    private static int? ReadUnusedQwenWindow(ConfigObject config)
    {
        if (config.Bool("use_sliding_window", false))
        {
            throw config.Error("use_sliding_window", "is true; only false is supported");
        }

        config.Skip("sliding_window");
        config.Skip("max_window_layers");
        return null;
    }
}
