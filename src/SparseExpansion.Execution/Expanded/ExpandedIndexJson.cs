using System.Text.Json.Serialization;

namespace SparseExpansion.Execution.Expanded;

/// <summary>Reads and writes <see cref="ExpandedIndex"/> without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ExpandedIndex))]
internal sealed partial class ExpandedIndexJson : JsonSerializerContext;
