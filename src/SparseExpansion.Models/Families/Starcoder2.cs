using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>StarCoder 2 (Lozhkov et al. 2024): rotary positions and a window, with the parts of GPT-2.</summary>
internal static class Starcoder2
{
    private static readonly DecoderKeys s_keys = new()
    {
        NormEpsilon = ("norm_epsilon", 1e-5),
        Activation = ("hidden_act", "gelu_pytorch_tanh"),
        TiesWordEmbeddings = true,
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "starcoder2",
        Names = new() { FeedForwardParts = FeedForwardNames.Plain("c_fc", "c_proj") },
        Read = config =>
        {
            bool bias = config.Bool("use_bias", true);
            return WindowReader.Apply(config, WindowRule.AllLayers, DecoderReader.Read(config, s_keys) with
            {
                Norm = NormKind.Layer,
                NormBias = true,
                HasGate = false,
                QueryKeyValueBias = bias,
                AttentionOutputBias = bias,
                FeedForwardBias = bias,
            });
        },
        Keys =
        [
            KnownKey.At("norm_type", "\"layer_norm\""),
            KnownKey.At("mlp_type", "\"default\""),
            KnownKey.At("scale_attn_weights", "true"),

            // Left from the type that the first files were converted from; hidden_act and norm_epsilon are the ones that count.
            .. KnownKey.Irrelevant("activation_function", "layer_norm_epsilon", "scale_attention_softmax_in_fp32"),
            .. KnownKey.Irrelevant("max_window_layers"),
        ],
    };
}
