using System.Text.Json;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>SmolLM 3: Llama with layers that have no positions.</summary>
internal static class SmolLM3
{
    private static readonly DecoderKeys s_keys = new()
    {
        Rotary = new() { MissingTheta = 2_000_000 },
        TiesWordEmbeddings = true,
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "smollm3",
        Read = config =>
        {
            ModelConfig model = Llama.ReadBiased(config, s_keys) with { FeedForwardBias = config.Bool("mlp_bias", false) };
            bool[] rotated = ReadRotated(config, model.LayerCount);
            model = model with
            {
                Layers = [.. model.Layers.Select((layer, index) => rotated[index] ? layer : layer with { Rotary = null })],
            };
            return WindowReader.Apply(config, new() { NeedsSwitch = true, IsSliding = layer => !rotated[layer] }, model);
        },
        Keys = [.. KnownKey.Irrelevant("max_window_layers")],
    };

    /// <summary>A list with 1 for each layer that has positions, or the interval of those that have none.</summary>
    private static bool[] ReadRotated(ConfigObject config, int layers)
    {
        int interval = config.OptionalInt("no_rope_layer_interval") ?? 4;
        IReadOnlyList<JsonElement> listed = config.Array("no_rope_layers");
        if (listed.Count == 0)
        {
            return [.. Enumerable.Range(1, layers).Select(number => number % interval != 0)];
        }

        int[] flags = [.. listed.Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int flag) && flag is 0 or 1
            ? flag
            : throw config.Error("no_rope_layers", "must be a list of 1 (rotary positions) and 0 (none)"))];
        return flags.Length == layers
            ? [.. flags.Select(flag => flag == 1)]
            : throw config.Error("no_rope_layers", $"names {flags.Length} layers; the model has {layers}");
    }
}
