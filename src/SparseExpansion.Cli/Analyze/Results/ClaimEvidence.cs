namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Evidence of one layer, or of the model, for a claim.</summary>
/// <param name="Layer">Module path, or "all".</param>
/// <param name="Holds">True if it agrees.</param>
/// <param name="Values">The numbers by name.</param>
internal sealed record ClaimEvidence(string Layer, bool Holds, IReadOnlyDictionary<string, double> Values);
