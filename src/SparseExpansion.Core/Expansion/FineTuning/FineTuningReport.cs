using SparseExpansion.Expansion.Reports;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Reads what fine-tuning has reported.</summary>
internal static class FineTuningReport
{
    /// <summary>
    /// One entry for each block: objects while the expansion is fresh, JSON where blocks or the report were read.
    /// </summary>
    public static IReadOnlyList<BlockFineTuning> Of(ExpansionReport report) =>
        report.Parts.GetValueOrDefault(FineTuningStep.PartName) is List<object> blocks
        ? [.. blocks.Select(block => ReportParts.As<BlockFineTuning>(block)!)]
        : ReportParts.Get<BlockFineTuning[]>(report.Parts, FineTuningStep.PartName) ?? [];
}
