using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace SparseExpansion.Expansion.Reports;

/// <summary>The report of an expansion, layer by layer.</summary>
public sealed record ExpansionReport
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Everything that decided the outcome.</summary>
    public required ExpansionManifest Manifest { get; init; }

    /// <summary>The expanded layers in the order of execution.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>Seconds of the whole expansion.</summary>
    public required double Seconds { get; init; }

    /// <summary>Additions of parts of the expansion, which know how to read them.</summary>
    [JsonInclude]
    [JsonExtensionData]
    internal Dictionary<string, object> Parts { get; init; } = [];

    /// <summary>A table for people: one line a layer, and remarks on routers, experts and blocks.</summary>
    public override string ToString() => ReportText.Of(this);

    /// <summary>The report as indented JSON with camelCase names.</summary>
    public string ToJson()
    {
        JsonObject report = JsonSerializer.SerializeToNode(this, Json)!.AsObject();
        string last = Json.PropertyNamingPolicy!.ConvertName(nameof(Seconds));
        JsonNode? seconds = report[last];
        report.Remove(last);
        report.Add(last, seconds); // Behind the additions of steps, where readers know it.
        return report.ToJsonString(Json);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no report.</exception>
    public static ExpansionReport FromJson(string json) =>
        JsonSerializer.Deserialize<ExpansionReport>(json, Json) ?? throw new JsonException("The report is empty.");
}
