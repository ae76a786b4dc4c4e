using System.IO.MemoryMappedFiles;
using SparseExpansion.Execution;
using SparseExpansion.Internal.Files;
using SparseExpansion.Internal.Vectors;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// A safetensors file, mapped into memory. The header is checked completely on opening, so that a damaged file is
/// reported there and not half-way through a model. The file must not be changed or truncated while it is open.
/// </summary>
public sealed unsafe class SafetensorsReader : IDisposable
{
    /// <summary>Where a copy of the mapped bytes is cut, because spans end at 2 GiB.</summary>
    private const long PieceBytes = 1L << 30;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly MappedFile _mapped;
    private byte* _bytes;

    private SafetensorsReader(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        (FilePath, _file, _view, _mapped) = (path, file, view, new MappedFile(path, length));
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _bytes = start + view.PointerOffset;
        try
        {
            long headerLength = CheckHeaderLength(*(ulong*)_bytes, length, path);
            var header = new ReadOnlySpan<byte>(_bytes + 8, (int)headerLength);
            (Metadata, Entries) = SafetensorsHeader.Parse(header, 8 + headerLength, length - 8 - headerLength, path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file that was opened.</summary>
    public string FilePath { get; }

    /// <summary>The strings under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; } = new Dictionary<string, SafetensorsEntry>();

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">
    /// The file is missing, cannot be read, is truncated, or its header does not describe its bytes; the message names file and tensor.
    /// </exception>
    public static SafetensorsReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        RegularFile.Require(path);
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            long length = stream.Length;
            if (length < 10)
            {
                throw new CheckpointException($"{path}: {length} bytes are too few for a safetensors file; copy it again.");
            }

            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            return new SafetensorsReader(path, file, view, length);
        }
        catch (Exception error)
        {
            view?.Dispose();
            file?.Dispose();
            if (error is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw new CheckpointException($"{path}: cannot be read: {error.Message}", error);
            }

            throw;
        }
    }

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <param name="device">Where the tensor is wanted; null means the CPU.</param>
    /// <returns>A tensor of the entry's shape and dtype, owned by the caller.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or a BOOL tensor holds bytes other than 0 and 1.</exception>
    public Tensor Read(string name, Device? device = null)
    {
        SafetensorsEntry entry = Entry(name);
        Tensor tensor = empty(entry.Shape.ToArray(), entry.DType, CPU);
        try
        {
            AdviseAndCopy(tensor, entry);
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
    /// A tensor that lies in the file instead of a copy: there at once whatever its size, read when it is used, and in memory once for all
    /// processes that map the file. It keeps the file mapped until it is disposed, this reader or not. Writing to it does not change the
    /// file; but the file must not be changed or truncated while such tensors live. Tensors of <see cref="SafetensorsWriter"/> are aligned for
    /// this; a tensor that is not, and one of dtype BOOL, is copied.
    /// </summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <returns>A CPU tensor of the entry's shape and dtype, owned by the caller.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or the system refuses to map the file.</exception>
    public Tensor Map(string name)
    {
        SafetensorsEntry entry = Entry(name);
        return MappedFile.Supports(entry) ? _mapped.Map(entry) : Read(name);
    }

    /// <summary>The tensors whose names begin with a prefix, by the rest of their names.</summary>
    internal Dictionary<string, Tensor> ReadAll(string prefix, Func<string, Tensor> read) => Entries.Keys
        .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(name => name[prefix.Length..], read);

    /// <summary>Closes the file. Tensors that were read or mapped stay.</summary>
    public void Dispose()
    {
        if (_bytes is not null)
        {
            _bytes = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _mapped.Dispose();
        _view.Dispose();
        _file.Dispose();
    }

    private static long CheckHeaderLength(ulong headerLength, long fileLength, string path)
    {
        if (headerLength is < 2 or > SafetensorsHeader.MaximumLength)
        {
            throw new CheckpointException($"{path}: is no safetensors file: its first bytes speak of a header of {headerLength} bytes. Was a page or a pointer downloaded instead of the file?");
        }

        if ((long)headerLength > fileLength - 8)
        {
            throw new CheckpointException($"{path}: the header of {headerLength} bytes does not fit the file of {fileLength} bytes; is it truncated?");
        }

        return (long)headerLength;
    }

    private SafetensorsEntry Entry(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return Entries.TryGetValue(name, out SafetensorsEntry? entry)
            ? entry
            : throw new CheckpointException($"{FilePath}: there is no tensor '{name}'.");
    }

    private void AdviseAndCopy(Tensor tensor, SafetensorsEntry entry)
    {
        if (entry.ByteLength > 0)
        {
            MemoryAdvice.HugePages(RawMemory.Address(tensor), (nuint)entry.ByteLength);
            RawMemory.KeepAlive(tensor);
            CopyInto(tensor, entry);
        }
    }

    private void CopyInto(Tensor tensor, SafetensorsEntry entry)
    {
        using var scope = NewDisposeScope();
        long elementSize = SafetensorsDType.SizeOf(entry.DType);
        Tensor flat = tensor.view(-1);
        for (long done = 0; done < entry.ByteLength; done += PieceBytes)
        {
            int count = (int)Math.Min(PieceBytes, entry.ByteLength - done);
            using Tensor piece = flat.narrow(0, done / elementSize, count / elementSize);
            var source = new ReadOnlySpan<byte>(_bytes + entry.Offset + done, count);
            if (entry.DType == ScalarType.Bool && source.ContainsAnyExceptInRange((byte)0, (byte)1))
            {
                throw new CheckpointException($"{FilePath}: tensor '{entry.Name}' of dtype BOOL holds bytes other than 0 and 1.");
            }

            source.CopyTo(piece.bytes);
        }
    }
}
