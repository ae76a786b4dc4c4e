namespace SparseExpansion.Models.Configuration;

/// <summary>Reads config.json of GPT-NeoX and Pythia. Missing keys have the defaults of that model type.</summary>
internal static class GptNeoXConfigReader
{
    /// <summary>Reads the keys that belong to this architecture.</summary>
    public static ModelConfig Read(ConfigObject config, string type)
    {
        int hidden = config.RequiredInt("hidden_size");
        int heads = config.RequiredInt("num_attention_heads");
        int headDimension = LlamaConfigReader.WholeHeads(config, hidden, heads);
        int layers = config.RequiredInt("num_hidden_layers");
        int positions = config.RequiredInt("max_position_embeddings");
        bool attentionBias = config.Bool("attention_bias", true);
        config.RequireSame("head_dim", headDimension);
        config.RequireSame("num_key_value_heads", heads);
        WindowReader.Read(config, type, layers, positions);
        return new ModelConfig
        {
            Architecture = ModelArchitecture.GptNeoX,
            ModelType = type,
            VocabularySize = config.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = config.RequiredInt("intermediate_size"),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadDimension = headDimension,
            MaxPositions = positions,
            Rotary = RotaryReader.Read(config, headDimension, RotaryReader.GptNeoXSpelling, defaultPartial: 0.25),
            NormEpsilon = config.OptionalNumber("layer_norm_eps") ?? 1e-5,
            Activation = ModelConfigReader.ReadActivation(config, "hidden_act", "gelu"),
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            FeedForwardBias = true,
            ParallelResidual = config.Bool("use_parallel_residual", true),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", false),
        };
    }
}
