using System.Text.Json.Serialization;
using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion.Reports;

/// <summary>Report on one expert of a linear.</summary>
/// <param name="Tokens">Calibration tokens routed to it.</param>
/// <param name="Sparsity">Share of its weights that are exactly zero.</param>
/// <param name="OutputError">
/// ‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over its calibration tokens; over those of its group where it has none. With error
/// compensation ‖X₀Wᵀ − XPᵀ‖² / ‖X₀Wᵀ‖², X₀ being the inputs in the dense model; 0 where it has no tokens.
/// </param>
/// <param name="Diagnostics">
/// The pruner's remarks on its work. JSON holds those of the library's pruners: the damping rung, the convergence and
/// the refit.
/// </param>
[JsonConverter(typeof(ExpertReportJson))]
public sealed record ExpertReport(
    long Tokens, double Sparsity, double OutputError, IReadOnlyList<PruningDiagnostic> Diagnostics);
