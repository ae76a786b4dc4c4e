using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>
/// Text models of Gemma 3 (Gemma Team 2025): as Gemma 2, with norms of queries and keys, without soft caps, and with
/// other rotary positions in layers with a window.
/// </summary>
internal static class Gemma3
{
    /// <summary>Positions are read by kind of layer.</summary>
    private static readonly DecoderKeys s_keys = Gemma2.Keys with { Rotary = null };

    public static ModelFamily Family { get; } = new()
    {
        Type = "gemma3_text",
        Names = Gemma2.Names,
        Read = config =>
        {
            ModelConfig model = Gemma2.WithParts(config, DecoderReader.Read(config, s_keys)) with
            {
                QueryKeyNorm = QueryKeyNorm.PerHead,
                AttentionSoftCap = Gemma2.SoftCap(config, "attn_logit_softcapping", null),
                LogitSoftCap = Gemma2.SoftCap(config, "final_logit_softcapping", null),
            };
            return ReadLayers(config, model);
        },
        Keys = [.. KnownKey.Irrelevant("hidden_act")],
    };

    private static ModelConfig ReadLayers(ConfigObject config, ModelConfig model)
    {
        int pattern = Spellings.Agree(
            config,
            [("sliding_window_pattern", config.OptionalInt("sliding_window_pattern")), ("_sliding_window_pattern", config.OptionalInt("_sliding_window_pattern"))])
            ?? 6;
        bool IsSliding(int layer) => (layer + 1) % pattern != 0;
        (RotaryOptions full, RotaryOptions sliding) = RotaryReader.ReadByKind(
            config, new() { MissingTheta = 1_000_000 }, ("rope_local_base_freq", 10000), model.HeadDimension,
            model.MaxPositions);
        bool[]? listed = WindowReader.ReadKinds(config, model.LayerCount);
        model = model with
        {
            Layers = [.. model.Layers.Select((layer, index) => layer with { Rotary = listed?[index] ?? IsSliding(index) ? sliding : full })],
        };
        return WindowReader.Apply(config, new() { Missing = 4096, IsSliding = IsSliding }, model);
    }
}
