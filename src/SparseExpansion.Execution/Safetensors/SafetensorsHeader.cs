using System.Text.Json;
using SparseExpansion.Execution.Errors;

namespace SparseExpansion.Execution.Safetensors;

/// <summary>Reads the JSON header of a safetensors file and holds it against the bytes that are really there.</summary>
internal static class SafetensorsHeader
{
    /// <summary>The limit that the format's reference implementation sets too.</summary>
    public const long MaximumLength = 100_000_000;

    /// <summary>libtorch's own kernels stop at this many dimensions.</summary>
    private const int MaximumRank = 64;

    private const string MetadataKey = "__metadata__";

    /// <summary>Parses a header.</summary>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="dataStart">Position of the data section in the file.</param>
    /// <param name="dataLength">Bytes of the data section.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="CheckpointException">The header is malformed or does not describe the data section
    /// exactly.</exception>
    public static (Dictionary<string, string> Metadata, Dictionary<string, SafetensorsEntry> Entries) Parse(
        ReadOnlySpan<byte> json, long dataStart, long dataLength, string path)
    {
        try
        {
            var result = ParseObject(json, dataStart, path);
            CheckLayout(result.Entries.Values, dataStart, dataLength, path);
            return result;
        }
        // GetString throws InvalidOperationException where the text is not valid UTF-8 or UTF-16.
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException($"{path}: the header is not valid JSON: {PlainMessage.Clause(error)}", error);
        }
    }

    private static (Dictionary<string, string> Metadata, Dictionary<string, SafetensorsEntry> Entries) ParseObject(
        ReadOnlySpan<byte> json, long dataStart, string path)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        bool hasMetadata = false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        Expect(ref reader, JsonTokenType.StartObject, path, "the header");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (name.Length == 0)
            {
                throw new CheckpointException($"{path}: a tensor has no name.");
            }

            bool fresh = name == MetadataKey ? !hasMetadata : !entries.ContainsKey(name);
            if (!fresh)
            {
                throw new CheckpointException($"{path}: '{name}' occurs twice in the header.");
            }

            if (name == MetadataKey)
            {
                hasMetadata = true;
                ReadMetadata(ref reader, metadata, path);
            }
            else
            {
                entries.Add(name, ReadEntry(ref reader, name, dataStart, path));
            }
        }

        // Reading on to the end makes the reader refuse anything but white space after the object.
        while (reader.Read())
        {
        }

        return (metadata, entries);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string path)
    {
        Expect(ref reader, JsonTokenType.StartObject, path, MetadataKey);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, path, $"{MetadataKey} '{key}'");
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw new CheckpointException($"{path}: '{key}' occurs twice in {MetadataKey}.");
            }
        }
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, long dataStart, string path)
    {
        string? dtype = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, path, $"tensor '{name}'");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            string what = $"{key} of tensor '{name}'";
            if (key == "dtype" && dtype is null)
            {
                Expect(ref reader, JsonTokenType.String, path, what);
                dtype = reader.GetString();
            }
            else if (key == "shape" && shape is null)
            {
                shape = ReadLongs(ref reader, path, what);
            }
            else if (key == "data_offsets" && offsets is null)
            {
                offsets = ReadLongs(ref reader, path, what);
            }
            else
            {
                throw new CheckpointException($"{path}: tensor '{name}' has the unknown or repeated field '{key}'.");
            }
        }

        return MakeEntry(name, dtype, shape, offsets, dataStart, path);
    }

    private static SafetensorsEntry MakeEntry(
        string name, string? dtype, List<long>? shape, List<long>? offsets, long dataStart, string path)
    {
        if (dtype is null || shape is null || offsets is not { Count: 2 })
        {
            throw new CheckpointException($"{path}: tensor '{name}' needs dtype, shape and two data_offsets.");
        }

        ElementType type = SafetensorsDType.TypeOf(dtype) ?? throw new CheckpointException(
            $"{path}: tensor '{name}' has the dtype '{dtype}'; supported are {SafetensorsDType.Supported}.");
        if (shape.Count > MaximumRank)
        {
            throw new CheckpointException(
                $"{path}: tensor '{name}' has {shape.Count} dimensions; at most {MaximumRank} are supported.");
        }

        long begin = offsets[0];
        long end = offsets[1];
        long? bytes = ByteLength(shape, ElementTypes.SizeOf(type));
        if (end < begin || bytes != end - begin)
        {
            throw new CheckpointException(
                $"{path}: tensor '{name}' of shape [{string.Join(", ", shape)}] and dtype {dtype} does not fill its "
                + $"data_offsets [{begin}, {end}].");
        }

        if (begin > long.MaxValue - dataStart)
        {
            throw new CheckpointException($"{path}: tensor '{name}' starts beyond the end of the file.");
        }

        return new SafetensorsEntry(name, type, shape.AsReadOnly(), dataStart + begin, end - begin);
    }

    /// <summary>
    /// The bytes of a shape, or null where the product overflows. Zero sizes do not hide an overflow of the others.
    /// </summary>
    private static long? ByteLength(List<long> shape, int elementSize)
    {
        long elements = 1;
        bool empty = false;
        foreach (long size in shape)
        {
            empty |= size == 0;
            if (size > 0 && elements > long.MaxValue / elementSize / size)
            {
                return null;
            }

            elements *= Math.Max(size, 1);
        }

        return empty ? 0 : elements * elementSize;
    }

    private static List<long> ReadLongs(ref Utf8JsonReader reader, string path, string what)
    {
        var values = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, path, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
            {
                throw new CheckpointException($"{path}: {what} must hold integers of at least 0.");
            }

            values.Add(value);
        }

        return values;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string path, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new CheckpointException($"{path}: {what} must be a JSON {type switch
            {
                JsonTokenType.StartObject => "object",
                JsonTokenType.StartArray => "array",
                _ => "string",
            }}.");
        }
    }

    /// <summary>The tensors must cover the data section without gaps or overlaps.</summary>
    private static void CheckLayout(IEnumerable<SafetensorsEntry> entries, long dataStart, long dataLength, string path)
    {
        long position = dataStart;
        foreach (SafetensorsEntry entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.ByteLength))
        {
            if (entry.Offset != position)
            {
                string how = entry.Offset < position ? "overlaps the tensor before it" : "leaves a gap before it";
                throw new CheckpointException(
                    $"{path}: tensor '{entry.Name}' {how} (at byte {entry.Offset}, expected {position}).");
            }

            if (entry.ByteLength > dataStart + dataLength - position)
            {
                throw new CheckpointException(
                    $"{path}: tensor '{entry.Name}' ends beyond the end of the file; is it truncated?");
            }

            position += entry.ByteLength;
        }

        if (position != dataStart + dataLength)
        {
            throw new CheckpointException(
                $"{path}: {dataStart + dataLength - position} bytes at the end belong to no tensor.");
        }
    }
}
