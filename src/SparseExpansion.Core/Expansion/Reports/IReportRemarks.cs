namespace SparseExpansion.Expansion.Reports;

/// <summary>Tells people what a part of an expansion did, from a report.</summary>
internal interface IReportRemarks
{
    /// <summary>What became of an input group, from the report of its first layer; null: nothing to tell.</summary>
    string? Describe(LayerReport layer) => null;

    /// <summary>What became of blocks, a line each.</summary>
    IEnumerable<string> Describe(ExpansionReport report) => [];
}
