namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads config.json of Llama, Mistral and Qwen2. Missing keys have the defaults of those model types.
/// </summary>
internal static class LlamaConfigReader
{
    /// <summary>Reads the keys that belong to this architecture.</summary>
    public static ModelConfig Read(ConfigObject config, string type)
    {
        int hidden = config.RequiredInt("hidden_size");
        int heads = config.RequiredInt("num_attention_heads");
        int headDimension = config.OptionalInt("head_dim") ?? WholeHeads(config, hidden, heads);
        int layers = config.RequiredInt("num_hidden_layers");
        int positions = config.RequiredInt("max_position_embeddings");

        // Qwen2 has biases where it has them; its code does not look at the key.
        bool attentionBias = type != "qwen2" && config.Bool("attention_bias", false);
        return new ModelConfig
        {
            Architecture = ModelArchitecture.Llama,
            ModelType = type,
            VocabularySize = config.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.RequiredInt("intermediate_size"),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = ReadKeyValueHeads(config, type, heads),
            HeadDimension = headDimension,
            MaxPositions = positions,
            Rotary = RotaryReader.Read(config, headDimension, RotaryReader.CommonSpelling, defaultPartial: 1),
            NormEpsilon = config.OptionalNumber("rms_norm_eps") ?? 1e-6,
            Activation = ModelConfigReader.ReadActivation(config, "hidden_act", "silu"),
            QueryKeyValueBias = attentionBias || type == "qwen2",
            AttentionOutputBias = attentionBias,
            FeedForwardBias = config.Bool("mlp_bias", false),
            SlidingWindow = WindowReader.Read(config, type, layers, positions),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", false),
        };
    }

    /// <summary>Features of a head where the heads share the hidden size evenly.</summary>
    public static int WholeHeads(ConfigObject config, int hidden, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw config.Error("num_attention_heads", $"is {heads}, which does not divide hidden_size {hidden}");

    /// <summary>
    /// Null means a head of its own for every query; a file without the key means it for Llama alone.
    /// </summary>
    private static int ReadKeyValueHeads(ConfigObject config, string type, int heads) =>
        config.OptionalInt("num_key_value_heads")
        ?? (type == "llama" || config.Contains("num_key_value_heads") ? heads : throw config.Error("num_key_value_heads", "is missing"));
}
