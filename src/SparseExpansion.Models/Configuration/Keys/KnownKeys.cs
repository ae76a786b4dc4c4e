using System.Collections.Frozen;

namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// The keys that published configurations of a model type carry beside those that its reader asks for. What is neither
/// here nor asked
/// for is an error: the model may compute something that this reader does not know.
/// </summary>
internal static class KnownKeys
{
    /// <summary>No keys, for objects in which every key must be asked for.</summary>
    public static readonly FrozenDictionary<string, KnownKey> None = FrozenDictionary<string, KnownKey>.Empty;

    private static readonly FrozenDictionary<string, FrozenDictionary<string, KnownKey>> s_byType =
        new Dictionary<string, FrozenDictionary<string, KnownKey>>
        {
            ["llama"] = Join(LlamaKeys.All),
            ["mistral"] = Join(MistralKeys.All),
            ["qwen2"] = Join(Qwen2Keys.All),
            ["gpt_neox"] = Join(GptNeoXKeys.All),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The model types that have a table.</summary>
    public static IEnumerable<string> Types => s_byType.Keys;

    /// <summary>The table of a supported model type.</summary>
    public static IReadOnlyDictionary<string, KnownKey> Of(string type) => s_byType[type];

    private static FrozenDictionary<string, KnownKey> Join(IEnumerable<KeyValuePair<string, KnownKey>> family) =>
        BaseKeys.All.Concat(TrainingKeys.All).Concat(GenerationKeys.All).Concat(FeatureKeys.All).Concat(family)
            .ToDictionary(StringComparer.Ordinal) // Refuses a key that is in two tables.
            .ToFrozenDictionary(StringComparer.Ordinal);
}
