using System.Text.Json.Serialization;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Agreement of a statement with the measurements.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
internal enum Verdict
{
    /// <summary>In every layer.</summary>
    Holds,

    /// <summary>In some of the layers.</summary>
    HoldsInPart,

    /// <summary>In no layer.</summary>
    DoesNotHold,
}
