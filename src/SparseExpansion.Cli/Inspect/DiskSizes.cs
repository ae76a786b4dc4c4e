using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>How many bytes of a folder's files belong to what.</summary>
internal sealed class DiskSizes(string folder)
{
    private const string RouterPrefix = "routers.";

    private readonly IReadOnlyDictionary<string, SafetensorsEntry> _tensors = ModelFolder.ListTensors(folder);

    /// <summary>All routers; they have the same size in memory, and a token reads all of it.</summary>
    public long Routers => Below(RouterPrefix);

    /// <summary>Numbers that all routers consist of.</summary>
    public long RouterValues => _tensors.Where(entry => entry.Key.StartsWith(RouterPrefix, StringComparison.Ordinal)).Sum(entry => entry.Value.Shape.Aggregate(1L, (a, b) => a * b));

    /// <summary>The weight of a dense linear; 0 if it is not stored.</summary>
    public long Linear(string name) => _tensors.TryGetValue($"{name}.weight", out SafetensorsEntry? weight) ? weight.ByteLength : 0;

    /// <summary>The weights of a mixture's experts.</summary>
    public long Experts(string name) => Below($"{name}.experts.");

    private long Below(string prefix) =>
        _tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(entry => entry.Value.ByteLength);
}
