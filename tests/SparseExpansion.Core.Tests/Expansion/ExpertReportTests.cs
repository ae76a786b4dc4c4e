using System.Text.Json;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Refit;

namespace SparseExpansion.Expansion;

/// <summary>
/// The JSON of an expert has a property for each diagnostic of the library, in this order, whatever the pruner told.
/// </summary>
public sealed class ExpertReportTests
{
    private static readonly DampingRung s_rung = new(1, 0.1, DampingMethod.DoublePrecision);
    private static readonly Convergence s_convergence = new(7, true, 3, 0.25);
    private static readonly JsonSerializerOptions s_json = new(ExpansionReport.Json) { WriteIndented = false };
    private static readonly RefitReport s_refit = new(5, 1, 2);

    [Fact]
    public void ToJson_AllDiagnostics_WritesAPropertyForEach() => Assert.Equal(
        """
        {"tokens":3,"sparsity":0.5,"outputError":0.125,"dampingRung":{"index":1,"damping":0.1,"method":"doublePrecision"},"convergence":{"iterations":7,"settled":true,"refitIterations":3,"residual":0.25},"refit":{"rows":5,"doublePrecisionRows":1,"keptRows":2}}
        """,
        ToJson([s_rung, s_convergence, s_refit]));

    [Fact]
    public void ToJson_DiagnosticsOfOthers_LeavesThemOut() => Assert.Equal(
        """{"tokens":3,"sparsity":0.5,"outputError":0.125,"dampingRung":null,"convergence":null,"refit":null}""", ToJson([new Own()]));

    [Fact]
    public void ToJson_RefittedTwice_WritesTheLast() => Assert.Contains("\"rows\":5", ToJson([new RefitReport(9, 0, 0), s_refit]), StringComparison.Ordinal);

    [Fact]
    public void FromJson_WhatToJsonWrote_HasTheSameDiagnostics()
    {
        PruningDiagnostic[] diagnostics = [s_rung, s_convergence, s_refit];
        ExpertReport read = JsonSerializer.Deserialize<ExpertReport>(ToJson(diagnostics), ExpansionReport.Json)!;

        Assert.Equal((3, 0.5, 0.125), (read.Tokens, read.Sparsity, read.OutputError));
        Assert.Equal(diagnostics, read.Diagnostics);
        Assert.Empty(JsonSerializer.Deserialize<ExpertReport>(ToJson([]), ExpansionReport.Json)!.Diagnostics);
    }

    private static string ToJson(PruningDiagnostic[] diagnostics) => JsonSerializer.Serialize(new ExpertReport(3, 0.5, 0.125, diagnostics), s_json);

    private sealed record Own : PruningDiagnostic;
}
