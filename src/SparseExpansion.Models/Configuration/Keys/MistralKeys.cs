namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Keys of Mistral's relatives.</summary>
internal static class MistralKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        .. KnownKey.Off("bias", "use_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias", "norm_bias"),
        KnownKey.At("no_bias", "true"),
    ];
}
