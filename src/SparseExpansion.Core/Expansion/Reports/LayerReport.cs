using System.Text.Json.Serialization;
using SparseExpansion.Calibration.Capture;

namespace SparseExpansion.Expansion.Reports;

/// <summary>The report of one linear.</summary>
public sealed record LayerReport
{
    /// <summary>Module path.</summary>
    public required string Name { get; init; }

    /// <summary>Linears that share the router, this one included.</summary>
    public required IReadOnlyList<string> InputGroup { get; init; }

    /// <summary>Width of the input.</summary>
    public required long InFeatures { get; init; }

    /// <summary>Width of the output.</summary>
    public required long OutFeatures { get; init; }

    /// <summary>Number of experts; fewer than asked for when clusters had too few tokens.</summary>
    public int Experts => ExpertReports.Count;

    /// <summary>Calibration tokens that the layer saw.</summary>
    public long Tokens => ExpertReports.Sum(expert => expert.Tokens);

    /// <summary>Share of the experts' weights that are exactly zero.</summary>
    public double Sparsity => ExpertReports.Average(expert => expert.Sparsity);

    /// <summary>
    /// Relative output error ‖Y − Ŷ‖² / ‖Y‖² of the experts on their own calibration tokens, weighted by token count;
    /// with error compensation Y are the outputs in the dense model.
    /// </summary>
    public double OutputError =>
        Tokens == 0 ? 0 : ExpertReports.Sum(expert => expert.OutputError * expert.Tokens) / Tokens;

    /// <summary>Bytes of the dense weight.</summary>
    public required long DenseBytes { get; init; }

    /// <summary>Bytes of all experts as they are stored in memory.</summary>
    public required long ExpertBytes { get; init; }

    /// <summary>Seconds spent on pruning the layer, statistics and router of its group not included.</summary>
    public required double Seconds { get; init; }

    /// <summary>One entry for each expert.</summary>
    public required IReadOnlyList<ExpertReport> ExpertReports { get; init; }

    /// <summary>Additions of parts of the expansion, which know how to read them.</summary>
    [JsonInclude]
    [JsonExtensionData]
    internal Dictionary<string, object> Parts { get; init; } = [];
}
