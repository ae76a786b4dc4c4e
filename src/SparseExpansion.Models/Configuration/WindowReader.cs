namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads how far tokens look back. A window as long as the context changes nothing. Types differ in the layers that
/// have one; for those that have none, programs differ in what they make of such a key, so one that matters is refused.
/// </summary>
internal static class WindowReader
{
    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";

    /// <summary>Gives the layers of a model their windows.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="rule">What the model type does.</param>
    /// <param name="model">The model so far.</param>
    /// <exception cref="CheckpointException">A window is set for a model type or a layer that has none, or keys
    /// contradict each other.</exception>
    public static ModelConfig Apply(ConfigObject config, WindowRule rule, ModelConfig model)
    {
        bool[] sliding = ReadKinds(config, model.LayerCount) ?? [.. Enumerable.Range(0, model.LayerCount).Select(rule.IsSliding)];
        bool listed = config.Has("layer_types");
        int? window = ReadWindow(config, rule);
        if (listed && window is null && sliding.Contains(true))
        {
            throw config.Error("layer_types", $"holds '{Sliding}', but no sliding_window is set");
        }

        if (!(window < model.MaxPositions))
        {
            return model;
        }

        if (!rule.Exists && sliding.Contains(true))
        {
            throw config.Error(
                "sliding_window",
                $"is {window}, shorter than the context; supported is null, as the model type '{model.ModelType}' has no window");
        }

        if (rule.IsUniform && sliding.Contains(false))
        {
            throw config.Error(
                "layer_types",
                $"gives some layers no window; the model type '{model.ModelType}' has the sliding_window of {window} tokens in all layers");
        }

        return model with
        {
            Layers = [.. model.Layers.Select((layer, index) => layer with { Window = sliding[index] ? window : null })],
        };
    }

    /// <summary>True for each layer with a window; null where the file does not list them.</summary>
    public static bool[]? ReadKinds(ConfigObject config, int layers)
    {
        IReadOnlyList<string> named = config.Strings("layer_types");
        if (named.FirstOrDefault(kind => kind is not (Full or Sliding)) is { } unknown)
        {
            throw config.Error("layer_types", $"holds '{unknown}'; supported are {Full} and {Sliding}");
        }

        return named.Count == 0 ? null
            : named.Count == layers ? [.. named.Select(kind => kind == Sliding)]
            : throw config.Error("layer_types", $"names {named.Count} layers; the model has {layers}");
    }

    private static int? ReadWindow(ConfigObject config, WindowRule rule)
    {
        bool? use = config.Has("use_sliding_window") ? config.Bool("use_sliding_window", false) : null;
        bool off = use is false || (rule.NeedsSwitch && use is null);
        if (off && (rule.NeedsSwitch || !rule.Exists))
        {
            config.Skip("sliding_window");
            return null;
        }

        int? window = config.Contains("sliding_window") ? config.OptionalInt("sliding_window") : rule.Missing;
        return !off || window is null
            ? window
            : throw config.Error("use_sliding_window", $"is false, but sliding_window is {window}; for this model type the window alone counts, so set it to null or remove the switch");
    }
}
