using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Families;

/// <summary>Granite 3: Llama with factors of embeddings, attention, residuals and logits.</summary>
internal static class Granite
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "granite",
        Read = config => WindowReader.Apply(
            config, WindowRule.None, Llama.ReadBiased(config, new() { KeyHeadsMayBeMissing = true }) with
            {
                FeedForwardBias = config.Bool("mlp_bias", false),
                EmbeddingScale = config.OptionalPositive("embedding_multiplier") ?? 1,
                AttentionScale = config.OptionalPositive("attention_multiplier") ?? 1,
                ResidualScale = config.OptionalPositive("residual_multiplier") ?? 1,
                LogitScale = 1 / (config.OptionalPositive("logits_scaling") ?? 1),
            }),
    };
}
