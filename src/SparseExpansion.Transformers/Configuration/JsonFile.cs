using System.Text.Json;

namespace SparseExpansion.Transformers;

/// <summary>Reads the JSON files of a checkpoint folder.</summary>
internal static class JsonFile
{
    /// <summary>Reads a file whose top level is an object.</summary>
    /// <exception cref="CheckpointException">The file is missing, unreadable or not a JSON object.</exception>
    public static JsonElement ReadObject(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 64 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new CheckpointException($"{path}: must hold a JSON object.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {error.Message}", error);
        }
        catch (JsonException error)
        {
            throw new CheckpointException($"{path}: is not valid JSON: {error.Message}", error);
        }
    }
}
