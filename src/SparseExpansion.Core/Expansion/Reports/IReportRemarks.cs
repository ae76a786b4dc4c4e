namespace SparseExpansion.Expansion.Reports;

/// <summary>Tells people what a part of an expansion did, from a report.</summary>
internal interface IReportRemarks
{
    /// <summary>
    /// Name and value of the part that the JSON of a layer has where its expansion went without; null: none.
    /// </summary>
    (string Name, object? Value)? AbsentFromLayer => null;

    /// <summary>The same of the whole report.</summary>
    (string Name, object? Value)? AbsentFromReport => null;

    /// <summary>Remarks on an input group, from the report of its first layer; null: nothing to tell.</summary>
    string? Describe(LayerReport layer) => null;

    /// <summary>Remarks on blocks, one line each.</summary>
    IEnumerable<string> Describe(ExpansionReport report) => [];
}
