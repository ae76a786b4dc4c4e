using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Mistral 7B and its successors: Llama with a window in all layers.</summary>
internal static class Mistral
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "mistral",
        Read = config =>
        {
            ModelConfig model = Llama.ReadBiased(config, new()) with { FeedForwardBias = config.Bool("mlp_bias", false) };
            return WindowReader.Apply(config, WindowRule.AllLayers with { Missing = 4096 }, model);
        },
        Keys =
        [
            .. KnownKey.Off("bias", "use_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias", "norm_bias"),
            KnownKey.At("no_bias", "true"),
            .. KnownKey.Irrelevant("max_window_layers"),
        ],
    };
}
