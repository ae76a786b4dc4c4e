namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads how far tokens look back. A window as long as the context changes nothing. Mistral has its window in all
/// layers, Qwen2 from
/// layer <c>max_window_layers</c> on; Llama and GPT-NeoX have none, and programs differ in what they make of such a key
/// there, so one
/// that matters is refused.
/// </summary>
internal static class WindowReader
{
    private const string Full = "full_attention";
    private const string Sliding = "sliding_attention";

    /// <summary>Mistral's first release has no key for its window, Qwen2's is the same.</summary>
    private const int DefaultWindow = 4096;

    private const int DefaultFirstLayer = 28;

    /// <summary>Reads the window of all layers; null where every token looks back to the first.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="type">The model type.</param>
    /// <param name="layers">Number of blocks.</param>
    /// <param name="positions">Longest sequence, in tokens.</param>
    /// <exception cref="CheckpointException">Layers differ, a window is set for a model type that has none, or keys
    /// contradict each other.</exception>
    public static int? Read(ConfigObject config, string type, int layers, int positions)
    {
        int? window = ReadWindow(config, type);
        int firstLayer = type == "qwen2" ? config.OptionalInt("max_window_layers", least: 0) ?? DefaultFirstLayer : 0;
        if (window is null)
        {
            config.Skip("max_window_layers");
        }

        IReadOnlyList<string> named = config.Strings("layer_types");
        if (named.FirstOrDefault(kind => kind is not (Full or Sliding)) is { } unknown)
        {
            throw config.Error("layer_types", $"holds '{unknown}'; supported are {Full} and {Sliding}");
        }

        bool matters = window < positions;
        string[] kinds = [.. (named.Count > 0 ? named : Kinds(window, firstLayer, layers)).Distinct()];
        RequireOneKind(config, type, window, matters, kinds);
        return type == "mistral" || (matters && kinds[0] == Sliding) ? window : null;
    }

    /// <summary>Attention kinds of the first and the last layer, for files that do not list all.</summary>
    private static string[] Kinds(int? window, int firstLayer, int layers) =>
        window is null || firstLayer >= layers ? [Full] : firstLayer == 0 ? [Sliding] : [Full, Sliding];

    private static int? ReadWindow(ConfigObject config, string type)
    {
        bool? use = config.Has("use_sliding_window") ? config.Bool("use_sliding_window", false) : null;
        bool off = use is false || (type == "qwen2" && use is null);
        if (off && type != "mistral")
        {
            config.Skip("sliding_window");
            return null;
        }

        int? window = config.Contains("sliding_window") || type is "llama" or "gpt_neox"
            ? config.OptionalInt("sliding_window")
            : DefaultWindow;
        return !off || window is null
            ? window
            : throw config.Error("use_sliding_window", $"is false, but sliding_window is {window}; for this model type the window alone counts, so set it to null or remove the switch");
    }

    private static void RequireOneKind(ConfigObject config, string type, int? window, bool matters, string[] kinds)
    {
        if (window is null && kinds.Contains(Sliding))
        {
            throw config.Error("layer_types", $"holds '{Sliding}', but no sliding_window is set");
        }

        if (matters && (kinds.Length > 1 || (type == "mistral" && kinds[0] == Full)))
        {
            throw config.Error(
                config.Has("layer_types") ? "layer_types" : "max_window_layers",
                $"gives some layers the sliding_window of {window} tokens and others none; mixed attention is not supported");
        }

        if (matters && kinds[0] == Sliding && type is "llama" or "gpt_neox")
        {
            throw config.Error(
                "sliding_window",
                $"is {window}, shorter than the context; supported is null, as the model type '{type}' has no window");
        }
    }
}
