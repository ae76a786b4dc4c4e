namespace SparseExpansion.Comparison.Gguf;

/// <summary>Description of a model in a GGUF file, so that llama.cpp accepts it.</summary>
internal static class GgufDescription
{
    /// <summary>Multiple at which every tensor starts.</summary>
    public const int Alignment = 32;

    private const int SpecialTokens = 3, ByteTokens = 256;
    private const int NormalType = 1, UnknownType = 2, ControlType = 3, ByteType = 6;

    /// <summary>Sizes and a vocabulary of made-up tokens.</summary>
    public static GgufMetadata Of(ModelShape shape, GgufType type)
    {
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", "llama");
        metadata.Add("general.name", "random");
        metadata.Add("general.file_type", type.FileId);
        metadata.Add("general.quantization_version", 2u);
        metadata.Add("general.alignment", (uint)Alignment);
        metadata.Add("llama.context_length", 2048u);
        metadata.Add("llama.embedding_length", (uint)shape.Hidden);
        metadata.Add("llama.block_count", (uint)shape.Blocks);
        metadata.Add("llama.feed_forward_length", (uint)shape.Intermediate);
        metadata.Add("llama.attention.head_count", (uint)shape.Heads);
        metadata.Add("llama.attention.head_count_kv", (uint)shape.KeyValueHeads);
        metadata.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        metadata.Add("llama.rope.dimension_count", (uint)shape.HeadWidth);
        metadata.Add("llama.rope.freq_base", 10000f);
        metadata.Add("llama.vocab_size", (uint)shape.Vocabulary);
        AddTokens(metadata, shape.Vocabulary);
        return metadata;
    }

    /// <summary>llama.cpp wants the three special tokens and one for every byte; the rest are names.</summary>
    private static void AddTokens(GgufMetadata metadata, int count)
    {
        int[] tokens = [.. Enumerable.Range(0, count)];
        metadata.Add("tokenizer.ggml.model", "llama");
        metadata.Add("tokenizer.ggml.tokens", (string[])[.. tokens.Select(TextOf)]);
        metadata.Add("tokenizer.ggml.scores", (float[])[.. tokens.Select(token => IsNormal(token) ? -token : 0f)]);
        metadata.Add("tokenizer.ggml.token_type", (int[])[.. tokens.Select(TypeOf)]);
        metadata.Add("tokenizer.ggml.unknown_token_id", 0u);
        metadata.Add("tokenizer.ggml.bos_token_id", 1u);
        metadata.Add("tokenizer.ggml.eos_token_id", 2u);
    }

    private static bool IsNormal(int token) => token >= SpecialTokens + ByteTokens;

    private static string TextOf(int token) => token switch
    {
        0 => "<unk>",
        1 => "<s>",
        2 => "</s>",
        _ => IsNormal(token) ? $"t{token}" : $"<0x{token - SpecialTokens:X2}>",
    };

    private static int TypeOf(int token) => token switch
    {
        0 => UnknownType,
        1 or 2 => ControlType,
        _ => IsNormal(token) ? NormalType : ByteType,
    };
}
