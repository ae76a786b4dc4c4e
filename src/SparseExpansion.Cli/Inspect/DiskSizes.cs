using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Bytes of a folder's files, by purpose.</summary>
internal sealed class DiskSizes(string folder)
{
    private const string RouterPrefix = "routers.";
    private static readonly string[] s_parts = ["weight", "codes", "scales", "zeros"];

    private readonly IReadOnlyDictionary<string, SafetensorsEntry> _tensors = ModelFolder.ListTensors(folder);

    /// <summary>Bytes of all routers; the same in memory, and a token reads all of it.</summary>
    public long Routers => Below(RouterPrefix);

    /// <summary>Parameters of all routers.</summary>
    public long RouterValues =>
        _tensors.Where(entry => entry.Key.StartsWith(RouterPrefix, StringComparison.Ordinal)).Sum(entry => entry.Value.Shape.Aggregate(1L, (a, b) => a * b));

    /// <summary>Bytes of everything.</summary>
    public long Total => _tensors.Values.Sum(entry => entry.ByteLength);

    /// <summary>
    /// Bytes of the weight of a dense linear or embedding, in codes with their scales and zero points; 0 if it is not
    /// stored.
    /// </summary>
    public long Weight(string name) => s_parts.Sum(
        part => _tensors.TryGetValue($"{name}.{part}", out SafetensorsEntry? entry) ? entry.ByteLength : 0);

    /// <summary>Bytes of a mixture's experts.</summary>
    public long Experts(string name) => Below($"{name}.experts.");

    private long Below(string prefix) =>
        _tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Sum(entry => entry.Value.ByteLength);
}
