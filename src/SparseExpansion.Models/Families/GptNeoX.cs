using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>GPT-NeoX 20B, Pythia, Dolly: one projection for each head's query, key and value.</summary>
internal static class GptNeoX
{
    private static readonly DecoderKeys s_keys = new()
    {
        SharesKeyHeads = false,
        NormEpsilon = ("layer_norm_eps", 1e-5),
        Activation = ("hidden_act", "gelu"),

        // The library that writes its files has added the common names.
        Rotary = new()
        {
            Theta = ["rotary_emb_base", "rope_theta"],
            Fraction = ["rotary_pct", "partial_rotary_factor"],
            MissingFraction = 0.25,
        },
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "gpt_neox",
        Names = new()
        {
            Root = "gpt_neox",
            Embedding = "embed_in",
            FinalNorm = "final_layer_norm",
            Head = "embed_out",
            Attention = "attention",
            AttentionParts = new() { Fused = "query_key_value", FusedLayout = FusedLayout.ByHead, Output = "dense" },
            FeedForwardParts = FeedForwardNames.Plain("dense_h_to_4h", "dense_4h_to_h"),
        },
        Read = config =>
        {
            bool bias = config.Bool("attention_bias", true);
            ModelConfig model = DecoderReader.Read(config, s_keys);
            config.RequireSame("head_dim", model.HiddenSize / model.HeadCount);
            return WindowReader.Apply(config, WindowRule.None, model with
            {
                Layout = config.Bool("use_parallel_residual", true) ? BlockLayout.Parallel : BlockLayout.PreNorm,
                Norm = NormKind.Layer,
                NormBias = true,
                HasGate = false,
                QueryKeyValueBias = bias,
                AttentionOutputBias = bias,
                FeedForwardBias = true,
            });
        },
        Keys =
        [
            KnownKey.At("mlp_bias", "true"),
            KnownKey.At("use_bias", "true"),
            KnownKey.At("bias", "true"),
            .. KnownKey.Irrelevant("max_window_layers"),
        ],
    };
}
