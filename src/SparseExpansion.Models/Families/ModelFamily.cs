using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>All that the library knows of a model type: the page that a new one takes.</summary>
internal sealed record ModelFamily
{
    /// <summary>"model_type" of its configurations.</summary>
    public required string Type { get; init; }

    /// <summary>Reads the keys of config.json; what it does not ask for must be neutral.</summary>
    public required Func<ConfigObject, ModelConfig> Read { get; init; }

    /// <summary>Names of its modules.</summary>
    public ModuleNames Names { get; init; } = new();

    /// <summary>Keys beside those that <see cref="Read"/> asks for, and when they change nothing.</summary>
    public IReadOnlyList<KeyValuePair<string, KnownKey>> Keys { get; init; } = [];
}
