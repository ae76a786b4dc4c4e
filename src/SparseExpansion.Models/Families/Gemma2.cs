using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>
/// Gemma 2 (Gemma Team 2024): norms before and after, soft caps, a window in every other layer.
/// </summary>
internal static class Gemma2
{
    /// <summary>Keys that Gemma 3 shares, rotary positions apart.</summary>
    public static DecoderKeys Keys { get; } = new()
    {
        HeadDimension = 256,
        Activation = ("hidden_activation", "gelu_pytorch_tanh"),
        TiesWordEmbeddings = true,
    };

    /// <summary>Names that Gemma 3 shares.</summary>
    public static ModuleNames Names { get; } = new() { Norms = new() { FeedForward = "pre_feedforward_layernorm" } };

    public static ModelFamily Family { get; } = new()
    {
        Type = "gemma2",
        Names = Names,
        Read = config => WindowReader.Apply(
            config, new() { Missing = 4096, IsSliding = layer => layer % 2 == 0 },
            WithParts(config, DecoderReader.Read(config, Keys)) with
            {
                AttentionSoftCap = SoftCap(config, "attn_logit_softcapping", 50),
                LogitSoftCap = SoftCap(config, "final_logit_softcapping", 30),
            }),

        // The older files have both keys, and this one is not looked at.
        Keys = [.. KnownKey.Irrelevant("hidden_act")],
    };

    /// <summary>The parts that Gemma 3 shares.</summary>
    public static ModelConfig WithParts(ConfigObject config, ModelConfig model)
    {
        bool bias = config.Bool("attention_bias", false);
        return model with
        {
            Norm = NormKind.RmsAroundOne,
            Layout = BlockLayout.SandwichNorm,
            EmbeddingScale = Math.Sqrt(model.HiddenSize),
            AttentionScale = 1 / Math.Sqrt(config.OptionalPositive("query_pre_attn_scalar") ?? 256),
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
        };
    }

    /// <summary>A cap in files that do not say; null stands for none.</summary>
    public static double? SoftCap(ConfigObject config, string key, double? missing) =>
        config.Contains(key) ? config.OptionalPositive(key) : missing;
}
