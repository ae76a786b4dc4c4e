using System.Text.Encodings.Web;
using System.Text.Json;
using TorchSharp;
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
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        KeyValuePair<string, Tensor>[] ordered = Order(tensors);
        byte[] header = MakeHeader(ordered, metadata);
        string target = Path.GetFullPath(path);
        string temporary = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            WriteAll(temporary, header, ordered);
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception error)
        {
            DeleteQuietly(temporary);
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new CheckpointException($"{path}: cannot be written: {error.Message}", error);
            }

            throw;
        }
    }

    private static KeyValuePair<string, Tensor>[] Order(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var list = new List<KeyValuePair<string, Tensor>>();
        foreach (KeyValuePair<string, Tensor> item in tensors)
        {
            (string name, Tensor tensor) = item;
            if (string.IsNullOrEmpty(name) || name == "__metadata__" || !seen.Add(name))
            {
                throw new ArgumentException($"The tensor name '{name}' is empty, reserved or occurs twice.", nameof(tensors));
            }

            if (tensor is null || tensor.is_sparse || SafetensorsDType.NameOf(tensor.dtype) is null)
            {
                throw new ArgumentException(
                    $"Tensor '{name}' is null, sparse, or of a dtype other than {SafetensorsDType.Supported}.", nameof(tensors));
            }

            list.Add(item);
        }

        return [.. list
            .OrderByDescending(item => SafetensorsDType.SizeOf(item.Value.dtype))
            .ThenBy(item => item.Key, StringComparer.Ordinal)];
    }

    private static byte[] MakeHeader(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            long position = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                long end = checked(position + (tensor.numel() * SafetensorsDType.SizeOf(tensor.dtype)));
                WriteEntry(json, name, tensor, position, end);
                position = end;
            }

            json.WriteEndObject();
        }

        // Spaces after the object start the data at a multiple of 8, so that mapped tensors are aligned.
        while (buffer.Length % 8 != 0)
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

    private static void WriteEntry(Utf8JsonWriter json, string name, Tensor tensor, long begin, long end)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", SafetensorsDType.NameOf(tensor.dtype));
        json.WriteStartArray("shape");
        foreach (long size in tensor.shape)
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

    private static void WriteAll(string path, byte[] header, KeyValuePair<string, Tensor>[] tensors)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        stream.Write(header);
        foreach ((_, Tensor tensor) in tensors)
        {
            WriteTensor(stream, tensor);
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
