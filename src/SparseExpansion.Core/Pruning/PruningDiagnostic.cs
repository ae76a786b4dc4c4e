namespace SparseExpansion.Pruning;

/// <summary>
/// A pruner's report on how it made one weight. Derive a record for a technique of your own: it travels
/// with <see cref="PruningResult.Diagnostics"/> and the report of the expert. Find one kind by <c>OfType</c>.
/// </summary>
public abstract record PruningDiagnostic;
