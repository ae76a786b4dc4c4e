using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Phi-1 to Phi-2: attention and feed-forward network read one norm; biases everywhere.</summary>
internal static class Phi
{
    private static readonly DecoderKeys s_keys = new()
    {
        KeyHeadsMayBeMissing = true,
        NormEpsilon = ("layer_norm_eps", 1e-5),
        Activation = ("hidden_act", "gelu_new"),
        Rotary = new() { MissingFraction = 0.5 },
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "phi",
        Names = new()
        {
            FinalNorm = "final_layernorm",
            AttentionParts = new() { Output = "dense", QueryNorm = "q_layernorm", KeyNorm = "k_layernorm" },
            FeedForwardParts = FeedForwardNames.Plain("fc1", "fc2"),
        },
        Read = config => WindowReader.Apply(config, WindowRule.None, DecoderReader.Read(config, s_keys) with
        {
            Layout = BlockLayout.ParallelSharedNorm,
            Norm = NormKind.Layer,
            NormBias = true,
            HasGate = false,
            QueryKeyValueBias = true,
            AttentionOutputBias = true,
            FeedForwardBias = true,
            HeadBias = true,
            QueryKeyNorm = config.Bool("qk_layernorm", false) ? QueryKeyNorm.PerHead : QueryKeyNorm.None,
        }),
        Keys =
        [
            // All linears have biases, whatever this says.
            .. KnownKey.Irrelevant("attention_bias"),
            BaseKeys.PublishedCode("configuration_phi.PhiConfig", "modeling_phi.PhiModel", "modeling_phi.PhiForCausalLM"),
        ],
    };
}
