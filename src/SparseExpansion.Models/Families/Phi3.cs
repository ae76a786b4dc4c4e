using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Phi-3, Phi-3.5 and Phi-4 mini: Llama with fused projections, LongRoPE and a window.</summary>
internal static class Phi3
{
    private static readonly DecoderKeys s_keys = new()
    {
        KeyHeadsMayBeMissing = true,
        NormEpsilon = ("rms_norm_eps", 1e-5),
        Rotary = new() { MissingOriginalContext = 4096 },
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "phi3",
        Names = new()
        {
            AttentionParts = new() { Fused = "qkv_proj" },
            FeedForwardParts = new() { FusedGateUp = "gate_up_proj" },
        },
        Read = config => WindowReader.Apply(config, WindowRule.AllLayers, DecoderReader.Read(config, s_keys)),
        Keys =
        [
            .. KnownKey.Off("attention_bias", "mlp_bias", "lm_head_bias"),
            .. KnownKey.AtOne("full_attn_mod", "interpolate_factor"),
            .. KnownKey.Irrelevant("max_window_layers"),
            BaseKeys.PublishedCode("configuration_phi3.Phi3Config", "modeling_phi3.Phi3Model", "modeling_phi3.Phi3ForCausalLM"),
        ],
    };
}
