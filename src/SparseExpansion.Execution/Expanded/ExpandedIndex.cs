using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Files;

namespace SparseExpansion.Execution.Expanded;

/// <summary>The file <c>expansion.json</c>: which layers of a model are mixtures, and how they are stored.</summary>
internal sealed record ExpandedIndex
{
    public const string FileName = "expansion.json";
    public const string FormatName = "sparse-expansion";
    public const int CurrentVersion = 1;

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required IReadOnlyList<ExpandedRouterEntry> Routers { get; init; }

    public required IReadOnlyList<ExpandedLayerEntry> Layers { get; init; }

    /// <summary>Linears and embeddings that are stored in codes of a few bits; left out where there are
    /// none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ExpandedQuantizedEntry>? Quantized { get; init; }

    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            File.WriteAllText(path, ToJson() + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be written: {PlainMessage.Clause(e)}", e);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, ExpandedIndexJson.Default.ExpandedIndex);

    /// <exception cref="CheckpointException">The file is missing, malformed, or of another version.</exception>
    public static ExpandedIndex Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        RegularFile.Require(path);
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {PlainMessage.Clause(e)}", e);
        }
    }

    /// <exception cref="CheckpointException">The text is malformed, or of another version.</exception>
    public static ExpandedIndex Parse(string json, string path)
    {
        try
        {
            ExpandedIndex index = JsonSerializer.Deserialize(json, ExpandedIndexJson.Default.ExpandedIndex)
                ?? throw new CheckpointException($"{path}: is empty.");
            ExpandedIndexCheck.Require(index, path);
            return index;
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: is not an expansion index: {PlainMessage.Clause(e)}", e);
        }
    }
}
