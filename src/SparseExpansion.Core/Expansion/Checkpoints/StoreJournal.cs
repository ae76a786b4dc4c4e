using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Files;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>
/// The file that says which blocks of a <see cref="FolderExpansionStore"/> are finished. What it does not name does not
/// exist.
/// </summary>
internal sealed record StoreJournal
{
    public const string FileName = "journal.json";
    public const string FormatName = "sparse-expansion-partial";
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    [JsonPropertyName("units")]
    public required IReadOnlyList<StoredBlockFiles> Blocks { get; init; }

    /// <summary>Replaces the journal of a folder in one step.</summary>
    public void Write(string folder) =>
        Durable.Write(
            Path.Combine(folder, FileName), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, s_json) + "\n"));

    /// <summary>Null where there is none.</summary>
    /// <exception cref="CheckpointException">The file is malformed, or of another version.</exception>
    public static StoreJournal? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            StoreJournal? journal = JsonSerializer.Deserialize<StoreJournal>(File.ReadAllText(path), s_json);
            return journal is { Format: FormatName, Version: CurrentVersion }
                ? journal
                : throw new CheckpointException(
                    $"{path}: is a journal of another version; remove the folder to begin anew.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException(
                $"{path}: is not a journal of an expansion: {PlainMessage.Clause(e)} Remove the folder to begin anew.", e);
        }
    }
}
