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

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public required string Format { get; init; }

    public required int Version { get; init; }

    public required IReadOnlyList<ExpandedRouterEntry> Routers { get; init; }

    public required IReadOnlyList<ExpandedLayerEntry> Layers { get; init; }

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

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

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
            ExpandedIndex index = JsonSerializer.Deserialize<ExpandedIndex>(json, s_json)
                ?? throw new CheckpointException($"{path}: is empty.");
            index.Check(path);
            return index;
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: is not an expansion index: {PlainMessage.Clause(e)}", e);
        }
    }

    private void Check(string path)
    {
        if (Format != FormatName || Version != CurrentVersion)
        {
            throw new CheckpointException(
                $"{path}: format '{Format}' version {Version} is unknown; "
                + $"this library reads '{FormatName}' version {CurrentVersion}.");
        }

        if (Routers.Any(router => router is null || router.Tensors.Any(name => name is null))
            || Layers.Any(layer => layer is null))
        {
            throw new CheckpointException($"{path}: a router, a layer or the name of a tensor is null.");
        }

        if (Routers.Any(router => router.Tensors.Distinct(StringComparer.Ordinal).Count() != router.Tensors.Count))
        {
            throw new CheckpointException($"{path}: a router names a tensor twice.");
        }

        if (Routers.Any(router => router.Experts < 1 || router.InputFeatures < 1))
        {
            throw new CheckpointException($"{path}: a router has no experts or no features.");
        }

        if (Layers.Select(layer => layer.Name).Distinct(StringComparer.Ordinal).Count() != Layers.Count)
        {
            throw new CheckpointException($"{path}: two layers have the same name.");
        }

        foreach (ExpandedLayerEntry layer in Layers)
        {
            if (layer.Router < 0 || layer.Router >= Routers.Count)
            {
                throw new CheckpointException(
                    $"{path}: layer '{layer.Name}' names router {layer.Router}, but there are {Routers.Count}.");
            }

            if (layer.Experts != Routers[layer.Router].Experts
                || layer.InFeatures != Routers[layer.Router].InputFeatures)
            {
                throw new CheckpointException(
                    $"{path}: layer '{layer.Name}' does not fit its router {layer.Router} in experts or features.");
            }
        }
    }
}
