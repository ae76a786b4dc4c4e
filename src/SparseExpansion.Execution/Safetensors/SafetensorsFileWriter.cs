using System.Text.Encodings.Web;
using System.Text.Json;
using SparseExpansion.Execution.Errors;

namespace SparseExpansion.Execution.Safetensors;

/// <summary>Writes safetensors files from bytes. Equal tensors and metadata give equal files.</summary>
public static class SafetensorsFileWriter
{
    /// <summary>
    /// Writes a file. It appears under its name only when it is complete and flushed to disk; a failed write leaves
    /// nothing behind and an existing file as it was.
    /// </summary>
    /// <param name="path">The file; it replaces an existing one.</param>
    /// <param name="tensors">The tensors. They are stored widest element first, then by ordinal name, so that each is
    /// aligned.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>, stored by ordinal key.</param>
    /// <exception cref="ArgumentException">A name is empty, reserved or occurs twice.</exception>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(
        string path, IEnumerable<SafetensorsContent> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsContent[] ordered = Order(tensors);
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
                throw new CheckpointException($"{path}: cannot be written: {PlainMessage.Clause(error)}", error);
            }

            throw;
        }
    }

    private static SafetensorsContent[] Order(IEnumerable<SafetensorsContent> tensors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var list = new List<SafetensorsContent>();
        foreach (SafetensorsContent item in tensors)
        {
            if (string.IsNullOrEmpty(item.Name) || item.Name == "__metadata__" || !seen.Add(item.Name))
            {
                throw new ArgumentException(
                    $"The tensor name '{item.Name}' is empty, reserved or occurs twice.", nameof(tensors));
            }

            list.Add(item);
        }

        return [.. list
            .OrderByDescending(item => ElementTypes.SizeOf(item.DType))
            .ThenBy(item => item.Name, StringComparer.Ordinal)];
    }

    private static byte[] MakeHeader(SafetensorsContent[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            long position = 0;
            foreach (SafetensorsContent tensor in tensors)
            {
                long end = checked(position + tensor.ByteLength);
                WriteEntry(json, tensor, position, end);
                position = end;
            }

            json.WriteEndObject();
        }

        // Spaces after the object start the data at a multiple of 64, where libtorch puts its own tensors: mapped ones
        // are aligned, and multiply to the same bits.
        while (buffer.Length % 64 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        byte[] header = buffer.ToArray();
        if (header.Length - 8 > SafetensorsHeader.MaximumLength)
        {
            throw new ArgumentException(
                $"The header of {header.Length - 8} bytes is larger than readers accept.", nameof(tensors));
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

    private static void WriteEntry(Utf8JsonWriter json, SafetensorsContent tensor, long begin, long end)
    {
        json.WriteStartObject(tensor.Name);
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

    private static void WriteAll(string path, byte[] header, SafetensorsContent[] tensors)
    {
        using var stream = new FileStream(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        stream.Write(header);
        foreach (SafetensorsContent tensor in tensors)
        {
            long end = stream.Position + tensor.ByteLength;
            tensor.Write(stream);
            if (stream.Position != end)
            {
                throw new InvalidOperationException(
                    $"The parts of tensor '{tensor.Name}' are not its {tensor.ByteLength} bytes.");
            }
        }

        stream.Flush(flushToDisk: true);
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
