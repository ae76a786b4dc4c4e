using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion;

/// <summary>What became of one expert of a linear.</summary>
/// <param name="Tokens">Calibration tokens routed to it.</param>
/// <param name="Sparsity">Share of its weights that are exactly zero.</param>
/// <param name="OutputError">‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over its calibration tokens.</param>
/// <param name="DampingRung">Where the damping ladder ended; null for pruners without damping.</param>
public sealed record ExpertReport(long Tokens, double Sparsity, double OutputError, DampingRung? DampingRung);
