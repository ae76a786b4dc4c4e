using System.Text.Json.Nodes;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Configuration;

/// <summary>Configurations with the keys that published checkpoints carry, and small sizes.</summary>
internal static class PublishedConfig
{
    /// <summary>One fixture of each model type that has several kinds of layers, scales or spellings.</summary>
    public static IReadOnlyDictionary<string, string> ByType { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["gemma2"] = "gemma-2-2b",
        ["gemma3_text"] = "gemma-3-1b-it",
        ["gpt2"] = "gpt2",
        ["gpt_neox"] = "dolly",
        ["granite"] = "granite-3.1-2b",
        ["llama"] = "smollm2",
        ["mistral"] = "mistral-first-release",
        ["mixtral"] = "mixtral-8x7b",
        ["olmo2"] = "olmo-2-1b",
        ["opt"] = "opt-125m",
        ["phi"] = "phi-2",
        ["phi3"] = "phi-4-mini",
        ["qwen2"] = "qwen2-base",
        ["qwen3"] = "qwen3-0.6b",
        ["qwen3_moe"] = "qwen3-30b-a3b",
        ["smollm3"] = "smollm3-3b",
        ["stablelm"] = "stablelm-2-12b",
        ["starcoder2"] = "starcoder2-3b",
    };

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Fixtures", "configs");

    /// <summary>Names of all fixtures, in ordinal order.</summary>
    public static IEnumerable<string> Names =>
        Directory.GetFiles(Folder).Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>Loads a fixture, after a change to its keys.</summary>
    public static ModelConfig Load(string name, Action<JsonObject>? change = null)
    {
        using var folder = new TemporaryFolder();
        return Load(folder, name, change);
    }

    /// <summary>Loads a fixture from a folder that outlives the call, for messages that name it.</summary>
    public static ModelConfig Load(TemporaryFolder folder, string name, Action<JsonObject>? change = null)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")))!.AsObject();
        change?.Invoke(config);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        return ModelConfig.Load(folder.Path);
    }

    /// <summary>Compares all values, lists by their elements.</summary>
    public static void AssertSame(ModelConfig expected, ModelConfig actual)
    {
        Assert.Equal(expected.Layers, actual.Layers);
        Assert.Equal(expected.EosIds, actual.EosIds);
        Assert.Equal(expected, actual with { Layers = expected.Layers, EosIds = expected.EosIds });
    }
}
