namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Keys of the relatives of GPT-NeoX and Pythia.</summary>
internal static class GptNeoXKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        KnownKey.At("mlp_bias", "true"),
        KnownKey.At("use_bias", "true"),
        KnownKey.At("bias", "true"),
    ];
}
