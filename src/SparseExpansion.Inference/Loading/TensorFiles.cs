using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Inference.Loading;

/// <summary>The tensors of some safetensors files, mapped into memory. Knows which of them were asked for.</summary>
internal sealed unsafe class TensorFiles : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _owners = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>The folder, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>The descriptions of all tensors.</summary>
    public IReadOnlyCollection<SafetensorsEntry> Entries => [.. _files.SelectMany(file => file.Entries.Values)];

    /// <summary>Number of all tensors.</summary>
    public int Count => _owners.Count;

    /// <summary>Names of tensors that nobody has asked for.</summary>
    public IEnumerable<string> Left => _owners.Keys.Where(name => !_taken.Contains(name)).Order(StringComparer.Ordinal);

    /// <summary>Opens a file.</summary>
    /// <exception cref="CheckpointException">It is missing or damaged, or another one has a tensor of the same
    /// name.</exception>
    public SafetensorsFile Add(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (string name in file.Entries.Keys)
        {
            if (!_owners.TryAdd(name, file))
            {
                throw new CheckpointException($"{path}: tensor '{name}' is in {_owners[name].FilePath} too.");
            }
        }

        return file;
    }

    /// <summary>True if there is a tensor of a name.</summary>
    public bool Has(string name) => _owners.ContainsKey(name);

    /// <summary>True if somebody has asked for a tensor.</summary>
    public bool IsTaken(string name) => _taken.Contains(name);

    /// <summary>The file of a tensor, for messages.</summary>
    public string FileOf(string name) => _owners.TryGetValue(name, out SafetensorsFile? file) ? file.FilePath : Source;

    /// <summary>A tensor's description.</summary>
    /// <exception cref="CheckpointException">There is none of this name.</exception>
    public SafetensorsEntry Entry(string name) => Owner(name).Entry(name);

    /// <summary>
    /// A tensor where it lies in the file, as a flat array; a copy where it is not aligned to its elements there.
    /// </summary>
    /// <exception cref="CheckpointException">There is none of this name.</exception>
    public NativeArray Take(string name)
    {
        SafetensorsFile file = Owner(name);
        SafetensorsEntry entry = file.Entry(name);
        _taken.Add(name);
        int size = ElementTypes.SizeOf(entry.DType);
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(file.Bytes(entry, 0, 0)));
        long length = entry.ByteLength / size;
        var stored = new NativeArray(address, length, entry.DType, null);
        return address % size == 0 ? stored : stored.Copy();
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private SafetensorsFile Owner(string name) => _owners.TryGetValue(name, out SafetensorsFile? file)
        ? file
        : throw new CheckpointException($"{Source}: lacks the tensor '{name}'.");
}
