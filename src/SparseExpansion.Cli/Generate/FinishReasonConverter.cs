using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Generate;

/// <summary>Writes names in camelCase, like those of all properties.</summary>
internal sealed class FinishReasonConverter() : JsonStringEnumConverter<FinishReason>(JsonNamingPolicy.CamelCase);
