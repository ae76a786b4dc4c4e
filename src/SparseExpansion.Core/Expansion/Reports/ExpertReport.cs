using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion.Reports;

/// <summary>What became of one expert of a linear.</summary>
/// <param name="Tokens">Calibration tokens routed to it.</param>
/// <param name="Sparsity">Share of its weights that are exactly zero.</param>
/// <param name="OutputError">
/// ‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over its calibration tokens; over those of its group where it has none. With error compensation
/// ‖X₀Wᵀ − XPᵀ‖² / ‖X₀Wᵀ‖², X₀ being the inputs in the dense model; 0 where it has no tokens.
/// </param>
/// <param name="DampingRung">Where the damping ladder ended; null for pruners without damping.</param>
/// <param name="Convergence">How an iterative pruner ended; null for the others.</param>
/// <param name="Refit">What an exact refit did; null without one.</param>
public sealed record ExpertReport(
    long Tokens, double Sparsity, double OutputError, DampingRung? DampingRung, Convergence? Convergence = null, RefitReport? Refit = null);
