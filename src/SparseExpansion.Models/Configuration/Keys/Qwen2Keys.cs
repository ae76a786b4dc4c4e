namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Keys of Qwen2's relatives, some of which Qwen's first release had.</summary>
internal static class Qwen2Keys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        // Queries, keys and values have biases and the output has none, whatever this says.
        .. KnownKey.Irrelevant("attention_bias"),
        KnownKey.At("qkv_bias", "true"),
        KnownKey.At("use_qkv_bias", "true"),
        KnownKey.At("add_qkv_bias", "true"),
        KnownKey.At("no_bias", "true"),
        KnownKey.At("scale_attn_weights", "true"),
        .. KnownKey.AtOne("rotary_pct"),
        .. KnownKey.Irrelevant("onnx_safe"),
    ];
}
