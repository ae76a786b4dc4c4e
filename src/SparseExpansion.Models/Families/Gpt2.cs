using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>GPT-2 (Radford et al. 2019): learned positions, weights stored [inputs, outputs].</summary>
internal static class Gpt2
{
    private static readonly DecoderKeys s_keys = new()
    {
        HiddenSize = "n_embd",
        IntermediateSize = "n_inner",
        IntermediateFactor = 4,
        LayerCount = "n_layer",
        HeadCount = "n_head",
        MaxPositions = "n_positions",
        SharesKeyHeads = false,
        NormEpsilon = ("layer_norm_epsilon", 1e-5),
        Activation = ("activation_function", "gelu_new"),
        Rotary = null,
        TiesWordEmbeddings = true,
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "gpt2",
        Names = new()
        {
            Root = "transformer",
            Embedding = "wte",
            Positions = "wpe",
            Layers = "h",
            FinalNorm = "ln_f",
            Norms = new() { Attention = "ln_1", FeedForward = "ln_2" },
            Attention = "attn",
            AttentionParts = new() { Fused = "c_attn", Output = "c_proj" },
            FeedForwardParts = FeedForwardNames.Plain("c_fc", "c_proj"),
            StoresTransposed = true,
        },
        Read = config => Read(config, DecoderReader.Read(config, s_keys)),
        Keys =
        [
            // The older name of n_positions, and settings of heads that are not loaded.
            .. KnownKey.Irrelevant("n_ctx", "summary_activation", "summary_proj_to_labels", "summary_type", "summary_use_proj"),
            .. KnownKey.Irrelevant("reorder_and_upcast_attn", "predict_special_tokens"),
            KnownKey.At("n_special", "0"),
        ],
    };

    private static ModelConfig Read(ConfigObject config, ModelConfig model)
    {
        bool byLayer = config.Bool("scale_attn_by_inverse_layer_idx", false);
        return model with
        {
            LearnedPositionOffset = 0,
            Norm = NormKind.Layer,
            NormBias = true,
            HasGate = false,
            QueryKeyValueBias = true,
            AttentionOutputBias = true,
            FeedForwardBias = true,
            AttentionScale = config.Bool("scale_attn_weights", true) ? null : 1,
            Layers = [.. model.Layers.Select((layer, index) => layer with { AttentionFactor = byLayer ? 1.0 / (index + 1) : 1 })],
        };
    }
}
