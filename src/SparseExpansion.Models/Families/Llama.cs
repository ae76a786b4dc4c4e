using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Llama 1 to 3, SmolLM 2, and the many models that were converted to this type.</summary>
internal static class Llama
{
    private static readonly DecoderKeys s_keys = new() { KeyHeadsMayBeMissing = true };

    public static ModelFamily Family { get; } = new()
    {
        Type = "llama",
        Read = config =>
        {
            ModelConfig model = ReadBiased(config, s_keys) with { FeedForwardBias = config.Bool("mlp_bias", false) };
            return WindowReader.Apply(config, WindowRule.None, model);
        },
        Keys =
        [
            // Converted from architectures that have these switches.
            .. KnownKey.Off("bias", "use_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias", "add_bias_linear", "norm_bias"),
            .. KnownKey.Off("use_parallel_residual", "parallel_residual", "parallel_attn"),
            KnownKey.At("no_bias", "true"),
            .. KnownKey.AtOne("rotary_pct"),
            .. KnownKey.Irrelevant("max_window_layers"),
        ],
    };

    /// <summary>Reads a relative of Llama, in which one key says whether all linears of the attention have biases.</summary>
    public static ModelConfig ReadBiased(ConfigObject config, DecoderKeys keys)
    {
        bool bias = config.Bool("attention_bias", false);
        return DecoderReader.Read(config, keys) with { QueryKeyValueBias = bias, AttentionOutputBias = bias };
    }
}
