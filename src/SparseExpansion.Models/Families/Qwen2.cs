using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Qwen 2 and 2.5: Llama with biases of queries, keys and values.</summary>
internal static class Qwen2
{
    /// <summary>Number of layers without a window in files that do not say.</summary>
    private const int FullLayers = 28;

    public static ModelFamily Family { get; } = new()
    {
        Type = "qwen2",
        Read = config => ReadWindows(config, DecoderReader.Read(config, new()) with
        {
            QueryKeyValueBias = true,
            FeedForwardBias = config.Bool("mlp_bias", false),
        }),
        Keys =
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
        ],
    };

    /// <summary>Qwen's layers from <c>max_window_layers</c> on have a window, if a switch is on.</summary>
    public static ModelConfig ReadWindows(ConfigObject config, ModelConfig model)
    {
        int full = config.OptionalInt("max_window_layers", least: 0) ?? FullLayers;
        var rule = new WindowRule { NeedsSwitch = true, Missing = 4096, IsSliding = layer => layer >= full };
        return WindowReader.Apply(config, rule, model);
    }
}
