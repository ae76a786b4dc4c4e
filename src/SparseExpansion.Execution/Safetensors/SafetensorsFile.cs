using System.IO.MemoryMappedFiles;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Files;

namespace SparseExpansion.Execution.Safetensors;

/// <summary>
/// A safetensors file: what it holds, and the bytes, mapped into memory or read. The header is checked completely on opening,
/// so that a damaged file is reported there and not half-way through a model. The file must not be changed or truncated
/// while it is open.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly FileStream _stream;
    private byte* _bytes;

    private SafetensorsFile(
        string path, FileStream stream, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        (FilePath, Length, _stream, _file, _view) = (path, length, stream, file, view);
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

    /// <summary>Its bytes.</summary>
    public long Length { get; }

    /// <summary>The strings under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; } = new Dictionary<string, SafetensorsEntry>();

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException"> The file is missing, cannot be read, is truncated, or its header does not
    /// describe its bytes; the message names file and tensor.
    /// </exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        RegularFile.Require(path);
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        FileStream? stream = null;
        try
        {
            // Without a buffer: what is read goes where it is wanted.
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            long length = stream.Length;
            if (length < 10)
            {
                throw new CheckpointException(
                    $"{path}: {length} bytes are too few for a safetensors file; copy it again.");
            }

            file = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            return new SafetensorsFile(path, stream, file, view, length);
        }
        catch (Exception error)
        {
            view?.Dispose();
            file?.Dispose();
            stream?.Dispose();
            if (error is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw new CheckpointException($"{path}: cannot be read: {PlainMessage.Clause(error)}", error);
            }

            throw;
        }
    }

    /// <summary>The tensor of a name.</summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public SafetensorsEntry Entry(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return Entries.TryGetValue(name, out SafetensorsEntry? entry)
            ? entry
            : throw new CheckpointException($"{FilePath}: there is no tensor '{name}'.");
    }

    /// <summary>
    /// Bytes of a tensor where they lie in the file; to be used while it is open. A span ends at 2 GiB, so large
    /// tensors are read in pieces.
    /// </summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="start">First byte of the tensor.</param>
    /// <param name="count">Bytes.</param>
    /// <exception cref="ArgumentException">The entry is of another file.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside of the tensor.</exception>
    /// <exception cref="CheckpointException">A BOOL tensor holds bytes other than 0 and 1.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry, long start, int count)
    {
        RequireInside(entry, start, count);
        var bytes = new ReadOnlySpan<byte>(_bytes + entry.Offset + start, count);
        RequireValues(entry, bytes);
        return bytes;
    }

    /// <summary>
    /// Copies bytes of a tensor into memory of one's own. They are read, not mapped: none of the file's pages stay with
    /// the process, so that a copy of a tensor takes the memory of the tensor once.
    /// </summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="start">First byte of the tensor.</param>
    /// <param name="target">Filled completely.</param>
    /// <exception cref="ArgumentException">The entry is of another file.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside of the tensor.</exception>
    /// <exception cref="CheckpointException">The file cannot be read, it has become shorter since it was opened, or a
    /// BOOL tensor holds bytes other than 0 and 1.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    internal void Read(SafetensorsEntry entry, long start, Span<byte> target)
    {
        RequireInside(entry, start, target.Length);
        long position = entry.Offset + start;
        for (Span<byte> rest = target; !rest.IsEmpty;)
        {
            int count = ReadSome(position, rest);
            position += count;
            rest = rest[count..];
        }

        RequireValues(entry, target);
    }

    private int ReadSome(long position, Span<byte> target)
    {
        int count;
        try
        {
            count = RandomAccess.Read(_stream.SafeFileHandle, target, position);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{FilePath}: cannot be read: {PlainMessage.Clause(error)}", error);
        }

        return count > 0
            ? count
            : throw new CheckpointException(
                $"{FilePath}: ends at byte {position} of {Length}; it must not be changed while it is read. "
                + "Restore the file and load it again.");
    }

    private void RequireInside(SafetensorsEntry entry, long start, int count)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!Entries.TryGetValue(entry.Name, out SafetensorsEntry? own) || !own.Equals(entry))
        {
            throw new ArgumentException(
                $"{FilePath}: the entry of tensor '{entry.Name}' is not of this file; take it from {nameof(Entries)}.",
                nameof(entry));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, entry.ByteLength - count);
        ObjectDisposedException.ThrowIf(_bytes is null, this);
    }

    private void RequireValues(SafetensorsEntry entry, ReadOnlySpan<byte> bytes)
    {
        if (entry.DType == ElementType.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
        {
            throw new CheckpointException(
                $"{FilePath}: tensor '{entry.Name}' of dtype BOOL holds bytes other than 0 and 1.");
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        if (_bytes is not null)
        {
            _bytes = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view.Dispose();
        _file.Dispose();
        _stream.Dispose();
    }

    private static long CheckHeaderLength(ulong headerLength, long fileLength, string path)
    {
        if (headerLength is < 2 or > SafetensorsHeader.MaximumLength)
        {
            throw new CheckpointException(
                $"{path}: is not a safetensors file: its first bytes announce a header of {headerLength} bytes. "
                + "Was a web page or a Git LFS pointer downloaded instead of the file?");
        }

        if ((long)headerLength > fileLength - 8)
        {
            throw new CheckpointException(
                $"{path}: the header of {headerLength} bytes does not fit the file of "
                + $"{fileLength} bytes; is it truncated?");
        }

        return (long)headerLength;
    }
}
