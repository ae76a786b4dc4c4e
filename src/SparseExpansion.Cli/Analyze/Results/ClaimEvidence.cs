namespace SparseExpansion.Cli;

/// <summary>What one layer, or the model, says about a claim.</summary>
/// <param name="Layer">Module path, or "all".</param>
/// <param name="Holds">True if it agrees.</param>
/// <param name="Values">The numbers by name.</param>
internal sealed record ClaimEvidence(string Layer, bool Holds, IReadOnlyDictionary<string, double> Values);
