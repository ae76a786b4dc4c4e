namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Keys of Llama's relatives: many were converted from architectures that have these switches.</summary>
internal static class LlamaKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        .. KnownKey.Off("bias", "use_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias", "add_bias_linear", "norm_bias"),
        .. KnownKey.Off("use_parallel_residual", "parallel_residual", "parallel_attn"),
        KnownKey.At("no_bias", "true"),
        .. KnownKey.AtOne("rotary_pct"),
    ];
}
