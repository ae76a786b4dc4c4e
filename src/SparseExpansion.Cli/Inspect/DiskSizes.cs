using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Bytes of a folder's files, by purpose.</summary>
internal sealed class DiskSizes(string folder)
{
    private const string RouterPrefix = "routers.";

    private readonly IReadOnlyDictionary<string, SafetensorsEntry> _tensors = ModelFolder.ListTensors(folder);

    /// <summary>Bytes of all routers; the same in memory, and a token reads all of it.</summary>
    public long Routers => Below(RouterPrefix);

    /// <summary>Parameters of all routers.</summary>
    public long RouterValues =>
        _tensors.Where(entry => entry.Key.StartsWith(RouterPrefix, StringComparison.Ordinal)).Sum(entry => entry.Value.Shape.Aggregate(1L, (a, b) => a * b));

    /// <summary>Bytes of a dense linear's weight; 0 if it is not stored.</summary>
    public long Linear(string name) =>
        _tensors.TryGetValue($"{name}.weight", out SafetensorsEntry? weight) ? weight.ByteLength : 0;

    /// <summary>Bytes of a mixture's experts.</summary>
    public long Experts(string name) => Below($"{name}.experts.");

    private long Below(string prefix) =>
        _tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Sum(entry => entry.Value.ByteLength);
}
