using System.Collections.Frozen;

namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// The keys that published configurations carry beside those that are asked for. What is neither here nor asked for is
/// an error: the model may compute something that the library does not know.
/// </summary>
internal static class KnownKeys
{
    /// <summary>No keys, for objects in which every key must be asked for.</summary>
    public static readonly FrozenDictionary<string, KnownKey> None = FrozenDictionary<string, KnownKey>.Empty;

    private static readonly FrozenDictionary<string, KnownKey> s_common =
        BaseKeys.All.Concat(TrainingKeys.All).Concat(GenerationKeys.All).Concat(FeatureKeys.All)
            .ToDictionary(StringComparer.Ordinal) // Refuses a key that is in two tables.
            .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The keys that all model types share, and those of a family, which go before them.</summary>
    public static IReadOnlyDictionary<string, KnownKey> With(IEnumerable<KeyValuePair<string, KnownKey>> family)
    {
        var keys = new Dictionary<string, KnownKey>(s_common, StringComparer.Ordinal);
        foreach ((string key, KnownKey rule) in family)
        {
            keys[key] = rule;
        }

        return keys;
    }
}
