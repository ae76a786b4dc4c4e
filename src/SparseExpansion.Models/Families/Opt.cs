using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>OPT (Zhang et al. 2022): learned positions, of which the first two rows are unused; ReLU.</summary>
internal static class Opt
{
    private static readonly DecoderKeys s_keys = new()
    {
        IntermediateSize = "ffn_dim",
        SharesKeyHeads = false,
        NormEpsilon = ("layer_norm_eps", 1e-5),
        Activation = ("activation_function", "relu"),
        Rotary = null,
        TiesWordEmbeddings = true,
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "opt",
        Names = new()
        {
            Root = "model.decoder",
            FinalNorm = "final_layer_norm",
            Norms = new() { Attention = "self_attn_layer_norm", FeedForward = "final_layer_norm" },
            AttentionParts = new() { Output = "out_proj" },
            FeedForward = "",
            FeedForwardParts = FeedForwardNames.Plain("fc1", "fc2"),
        },
        Read = config => Read(config, DecoderReader.Read(config, s_keys)),
        Keys =
        [
            KnownKey.At("layer_norm_elementwise_affine", "true"),
            KnownKey.At("learned_embeddings", "true"),
            .. KnownKey.Off("scale_embedding", "scale_embeddings"),
        ],
    };

    private static ModelConfig Read(ConfigObject config, ModelConfig model)
    {
        bool bias = config.Bool("enable_bias", true);
        bool normFirst = config.Bool("do_layer_norm_before", true);
        bool withoutFinalNorm = config.Bool("_remove_final_layer_norm", false);
        int embedding = config.OptionalInt("word_embed_proj_dim") ?? model.HiddenSize;
        return model with
        {
            LearnedPositionOffset = 2,
            EmbeddingSize = embedding == model.HiddenSize ? null : embedding,
            Norm = NormKind.Layer,
            NormBias = true,
            Layout = normFirst ? BlockLayout.PreNorm : BlockLayout.PostNorm,
            HasFinalNorm = normFirst && !withoutFinalNorm,
            HasGate = false,
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
            FeedForwardBias = bias,
        };
    }
}
