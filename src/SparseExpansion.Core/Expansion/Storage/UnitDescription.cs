using System.Text.Json;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Expansion;

/// <summary>What is said of a finished block: <see cref="StoredUnit.Description"/>.</summary>
internal sealed record UnitDescription
{
    /// <summary>Layers and routers, as in <c>expansion.json</c>.</summary>
    public required string Index { get; init; }

    /// <summary>Input groups, which number the seeds.</summary>
    public required int Groups { get; init; }

    /// <summary>Reports of the layers, in the order of execution.</summary>
    public required IReadOnlyList<LayerReport> Reports { get; init; }

    /// <summary>What fine-tuning did; null where there was none.</summary>
    public BlockFineTuning? FineTuning { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ExpansionReport.Json);

    /// <exception cref="CheckpointException">The text is no description.</exception>
    public static (UnitDescription Unit, ExpandedIndex Index) Parse(string json, int unit)
    {
        try
        {
            UnitDescription description = JsonSerializer.Deserialize<UnitDescription>(json, ExpansionReport.Json)
                ?? throw new CheckpointException($"Stored block {unit} has no description.");
            return (description, ExpandedIndex.Parse(description.Index, $"stored block {unit}"));
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"The description of stored block {unit} is damaged: {e.Message}", e);
        }
    }
}
