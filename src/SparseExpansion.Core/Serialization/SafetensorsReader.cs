using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// A safetensors file, mapped into memory. The header is checked completely on opening, so that a damaged file is
/// reported there and not half-way through a model. The file must not be changed or truncated while it is open.
/// </summary>
public sealed class SafetensorsReader : IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly MappedFile _mapped;

    private SafetensorsReader(SafetensorsFile file) =>
        (_file, _mapped) = (file, new MappedFile(file.FilePath, file.Length));

    /// <summary>The file that was opened.</summary>
    public string FilePath => _file.FilePath;

    /// <summary>The strings under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _file.Entries;

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException"> The file is missing, cannot be read, is truncated, or its header does not
    /// describe its bytes; the message names file and tensor.
    /// </exception>
    public static SafetensorsReader Open(string path) => new(SafetensorsFile.Open(path));

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <param name="device">Device of the tensor; null means the CPU.</param>
    /// <returns>A tensor of the entry's shape and dtype, owned by the caller.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or a BOOL tensor holds bytes other than 0 and
    /// 1.</exception>
    public Tensor Read(string name, Device? device = null)
    {
        SafetensorsEntry entry = _file.Entry(name);
        Tensor tensor = empty(entry.Shape.ToArray(), (ScalarType)entry.DType, CPU);
        try
        {
            TensorCopy.Fill(tensor, _file, entry);
            if (device is null || device.type == DeviceType.CPU)
            {
                return tensor;
            }

            Tensor moved = tensor.to(device);
            tensor.Dispose();
            return moved;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Fills a tensor with one of the file, converted to its dtype and device where they differ: without a second copy
    /// of the whole where they do not, and else with one of some rows at a time.
    /// </summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <param name="target">Of the entry's shape.</param>
    /// <exception cref="CheckpointException">As for <see cref="Read"/>.</exception>
    internal void ReadInto(string name, Tensor target)
    {
        SafetensorsEntry entry = _file.Entry(name);
        if (target.device_type == DeviceType.CPU && target.dtype == (ScalarType)entry.DType && target.is_contiguous())
        {
            TensorCopy.Fill(target, _file, entry);
        }
        else
        {
            TensorCopy.Convert(target, _file, entry);
        }
    }

    /// <summary>
    /// A tensor that lies in the file instead of a copy: there at once whatever its size, read when it is used, and in
    /// memory once for all processes that map the file. It keeps the file mapped until it is disposed, this reader or
    /// not. Writing to it does not change the file; but the file must not be changed or truncated while such tensors
    /// live. Tensors of <see cref="SafetensorsWriter"/> are aligned for this; a tensor that is not, and one of dtype
    /// BOOL, is copied.
    /// </summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <returns>A CPU tensor of the entry's shape and dtype, owned by the caller.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or the system refuses to map the
    /// file.</exception>
    public Tensor Map(string name)
    {
        SafetensorsEntry entry = _file.Entry(name);
        return MappedFile.Supports(entry) ? _mapped.Map(entry) : Read(name);
    }

    /// <summary>The tensors whose names begin with a prefix, by the rest of their names.</summary>
    internal Dictionary<string, Tensor> ReadAll(string prefix, Func<string, Tensor> read) => Entries.Keys
        .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(name => name[prefix.Length..], read);

    /// <summary>Closes the file. Tensors that were read or mapped stay.</summary>
    public void Dispose()
    {
        _mapped.Dispose();
        _file.Dispose();
    }
}
