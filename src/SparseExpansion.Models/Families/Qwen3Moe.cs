using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>Qwen 3 with mixtures of experts in some or all layers, such as Qwen3-30B-A3B.</summary>
internal static class Qwen3Moe
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "qwen3_moe",
        Read = config =>
        {
            ModelConfig model = Llama.ReadBiased(config, new()) with { QueryKeyNorm = QueryKeyNorm.PerHead };
            model = WindowReader.Apply(config, WindowRule.AllLayers with { NeedsSwitch = true, Missing = 4096 }, model);
            return ReadExperts(config, model);
        },
        Keys = [.. KnownKey.Irrelevant("output_router_logits", "router_aux_loss_coef", "max_window_layers")],
    };

    private static ModelConfig ReadExperts(ConfigObject config, ModelConfig model)
    {
        int count = Spellings.Agree(
            config,
            [("num_experts", config.OptionalInt("num_experts", least: 0)), ("num_local_experts", config.OptionalInt("num_local_experts", least: 0))])
            ?? throw config.Error("num_experts", "is missing");
        int step = config.OptionalInt("decoder_sparse_step") ?? 1;
        IReadOnlyList<int> dense = config.WholeNumbers("mlp_only_layers");
        var experts = new ExpertRouting
        {
            Count = count,
            PerToken = config.RequiredInt("num_experts_per_tok"),
            IntermediateSize = config.RequiredInt("moe_intermediate_size"),
            NormalizesWeights = config.Bool("norm_topk_prob", false),
        };
        return model with
        {
            Experts = count == 0 ? null : experts,
            Layers = [.. model.Layers.Select((layer, index) => layer with
            {
                HasExperts = count > 0 && !dense.Contains(index) && (index + 1) % step == 0,
            })],
        };
    }
}
