using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Models.Generation;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>Names in camelCase, as those of all properties are.</summary>
internal sealed class FinishReasonConverter() : JsonStringEnumConverter<FinishReason>(JsonNamingPolicy.CamelCase);
