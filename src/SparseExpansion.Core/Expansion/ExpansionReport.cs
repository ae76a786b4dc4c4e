using System.Text.Json;
using System.Text.Json.Serialization;

namespace SparseExpansion.Expansion;

/// <summary>What an expansion did, layer by layer.</summary>
public sealed record ExpansionReport
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>What decided the outcome.</summary>
    public required ExpansionManifest Manifest { get; init; }

    /// <summary>The expanded layers in the order of execution.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>What fine-tuning did, block by block; empty where it was not asked for. Other numbers of the report are from before it.</summary>
    public IReadOnlyList<BlockFineTuning> FineTuning { get; init; } = [];

    /// <summary>Seconds of the whole expansion.</summary>
    public required double Seconds { get; init; }

    /// <summary>A table for people: one line a layer, and what became of routers, small experts and fine-tuned blocks.</summary>
    public override string ToString() => ReportText.Of(this);

    /// <summary>The report as indented JSON with camelCase names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no report.</exception>
    public static ExpansionReport FromJson(string json) =>
        JsonSerializer.Deserialize<ExpansionReport>(json, Json) ?? throw new JsonException("The report is empty.");
}
