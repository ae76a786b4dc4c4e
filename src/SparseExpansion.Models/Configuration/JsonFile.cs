using System.Text.Json;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Files;

namespace SparseExpansion.Models.Configuration;

/// <summary>Reads the JSON files of a checkpoint folder.</summary>
internal static class JsonFile
{
    /// <summary>Reads a file whose top level is an object.</summary>
    /// <exception cref="CheckpointException">The file is missing, unreadable or not a JSON object.</exception>
    public static JsonElement ReadObject(string path)
    {
        RegularFile.Require(path);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 64 });
            RequireText(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new CheckpointException($"{path}: must hold a JSON object.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {PlainMessage.Clause(error)}", error);
        }
        catch (JsonException error)
        {
            throw new CheckpointException($"{path}: is not valid JSON: {PlainMessage.Clause(error)}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException($"{path}: holds text that is not Unicode: {PlainMessage.Clause(error)}", error);
        }
    }

    /// <summary>
    /// Escapes may spell halves of surrogate pairs, which the parser lets pass until the text is asked for.
    /// </summary>
    private static void RequireText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    RequireText(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    RequireText(property.Value);
                }

                break;
        }
    }
}
