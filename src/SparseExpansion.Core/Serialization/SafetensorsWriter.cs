using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>Writes safetensors files. Equal tensors and metadata give equal bytes.</summary>
public static class SafetensorsWriter
{
    private const long PieceBytes = 1L << 28;

    /// <summary>
    /// Writes a file. It appears under its name only when it is complete and flushed to disk; a failed write leaves
    /// nothing behind and an existing file as it was.
    /// </summary>
    /// <param name="path">The file; it replaces an existing one.</param>
    /// <param name="tensors">
    /// Tensors by name, of any shape and device, strided or not contiguous, of dtype F64, F32, F16, BF16, I64, I32, I16, I8, U8 or
    /// BOOL. They are stored widest element first, then by ordinal name, so that each is aligned.
    /// </param>
    /// <param name="metadata">Strings for <c>__metadata__</c>, stored by ordinal key.</param>
    /// <exception cref="ArgumentException">A name is empty, reserved or occurs twice, or a tensor has no type in the format.</exception>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        WriteSources(path, tensors.Select(item => KeyValuePair.Create(item.Key, TensorSource.Of(item.Key, item.Value))), metadata);
    }

    /// <summary>Writes tensors that are made while they are written, so that they need not be in memory together.</summary>
    internal static void WriteSources(string path, IEnumerable<KeyValuePair<string, TensorSource>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        KeyValuePair<string, TensorSource>[] ordered = Order(tensors);
        byte[] header = MakeHeader(ordered, metadata);
        string target = Path.GetFullPath(path);
        if (Path.GetDirectoryName(target) is { } parent && !Directory.Exists(parent))
        {
            throw new CheckpointException($"{path}: cannot be written: there is no folder {parent}.");
        }

        string temporary = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            WriteAll(temporary, header, ordered);
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception error)
        {
            DeleteQuietly(temporary);
            // The last one is how .NET reports a file that is larger than its file system allows.
            if (error is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
            {
                throw new CheckpointException($"{path}: cannot be written: {error.Message}", error);
            }

            throw;
        }
    }

    private static KeyValuePair<string, TensorSource>[] Order(IEnumerable<KeyValuePair<string, TensorSource>> tensors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var list = new List<KeyValuePair<string, TensorSource>>();
        foreach (KeyValuePair<string, TensorSource> item in tensors)
        {
            if (string.IsNullOrEmpty(item.Key) || item.Key == "__metadata__" || !seen.Add(item.Key))
            {
                throw new ArgumentException($"The tensor name '{item.Key}' is empty, reserved or occurs twice.", nameof(tensors));
            }

            list.Add(item);
        }

        return [.. list
            .OrderByDescending(item => SafetensorsDType.SizeOf(item.Value.DType))
            .ThenBy(item => item.Key, StringComparer.Ordinal)];
    }

    private static byte[] MakeHeader(KeyValuePair<string, TensorSource>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            long position = 0;
            foreach ((string name, TensorSource tensor) in tensors)
            {
                long end = checked(position + tensor.ByteLength);
                WriteEntry(json, name, tensor, position, end);
                position = end;
            }

            json.WriteEndObject();
        }

        // Spaces after the object start the data at a multiple of 64, where libtorch puts its own tensors: mapped ones are aligned, and multiply to the same bits.
        while (buffer.Length % 64 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        byte[] header = buffer.ToArray();
        if (header.Length - 8 > SafetensorsHeader.MaximumLength)
        {
            throw new ArgumentException($"The header of {header.Length - 8} bytes is larger than readers accept.", nameof(tensors));
        }

        BitConverter.TryWriteBytes(header, (ulong)(header.Length - 8));
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null || metadata.Count == 0)
        {
            return;
        }

        json.WriteStartObject("__metadata__");
        foreach ((string key, string value) in metadata.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter json, string name, TensorSource tensor, long begin, long end)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", SafetensorsDType.NameOf(tensor.DType));
        json.WriteStartArray("shape");
        foreach (long size in tensor.Shape)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAll(string path, byte[] header, KeyValuePair<string, TensorSource>[] tensors)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        stream.Write(header);
        foreach ((string name, TensorSource source) in tensors)
        {
            long end = stream.Position + source.ByteLength;
            foreach (Tensor part in source.Parts())
            {
                WriteTensor(stream, part);
            }

            if (stream.Position != end)
            {
                throw new InvalidOperationException($"The parts of tensor '{name}' are not its {source.ByteLength} bytes.");
            }
        }

        stream.Flush(flushToDisk: true);
    }

    /// <summary>Writes in pieces: a span ends at 2 GiB, and a tensor on another device needs host memory for one piece only.</summary>
    private static void WriteTensor(Stream stream, Tensor tensor)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        Tensor flat = tensor.detach().contiguous().view(-1);
        long count = flat.numel();
        long pieceElements = PieceBytes / SafetensorsDType.SizeOf(tensor.dtype);
        for (long start = 0; start < count; start += pieceElements)
        {
            using var pieceScope = NewDisposeScope();
            Tensor piece = flat.narrow(0, start, Math.Min(pieceElements, count - start)).cpu();
            stream.Write(piece.bytes);
        }
    }

    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The error that made the write fail is the one to report.
        }
    }
}
