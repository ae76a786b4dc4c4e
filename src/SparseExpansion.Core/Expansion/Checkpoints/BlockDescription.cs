using System.Text.Json;
using System.Text.Json.Serialization;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Reports;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>Description of a finished block: <see cref="StoredBlock.Description"/>.</summary>
internal sealed record BlockDescription
{
    /// <summary>Layers and routers, as in <c>expansion.json</c>.</summary>
    public required string Index { get; init; }

    /// <summary>Input groups, which number the seeds.</summary>
    public required int Groups { get; init; }

    /// <summary>Reports of the layers, in the order of execution.</summary>
    public required IReadOnlyList<LayerReport> Reports { get; init; }

    /// <summary>Additions of parts of the expansion, which know how to read them.</summary>
    [JsonExtensionData]
    public Dictionary<string, object> Parts { get; init; } = [];

    public string ToJson() => JsonSerializer.Serialize(this, ExpansionReport.Json);

    /// <exception cref="CheckpointException">The text is no description.</exception>
    public static (BlockDescription Block, ExpandedIndex Index) Parse(string json, int block)
    {
        try
        {
            BlockDescription description = JsonSerializer.Deserialize<BlockDescription>(json, ExpansionReport.Json)
                ?? throw new CheckpointException($"Stored block {block} has no description.");
            return (description, ExpandedIndex.Parse(description.Index, $"stored block {block}"));
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"The description of stored block {block} is damaged: {PlainMessage.Clause(e)}", e);
        }
    }
}
