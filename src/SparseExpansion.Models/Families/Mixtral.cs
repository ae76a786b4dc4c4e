using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Mixtral 8x7B and 8x22B (Jiang et al. 2024): Mistral with mixtures of experts.</summary>
internal static class Mixtral
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "mixtral",
        Names = new()
        {
            FeedForward = "block_sparse_moe",
            ExpertParts = new() { Gate = "w1", Up = "w3", Down = "w2" },
        },
        Read = config =>
        {
            ModelConfig model = DecoderReader.Read(config, new() { NormEpsilon = ("rms_norm_eps", 1e-5) });
            model = WindowReader.Apply(config, WindowRule.AllLayers, model);
            return model with
            {
                Experts = new()
                {
                    Count = config.RequiredInt("num_local_experts"),
                    PerToken = config.RequiredInt("num_experts_per_tok"),
                    IntermediateSize = model.IntermediateSize,
                },
                Layers = [.. model.Layers.Select(layer => layer with { HasExperts = true })],
            };
        },
        Keys =
        [
            .. KnownKey.Off("attention_bias"),
            .. KnownKey.Irrelevant("output_router_logits", "router_aux_loss_coef", "router_jitter_noise"),
            .. KnownKey.Irrelevant("max_window_layers"),
        ],
    };
}
