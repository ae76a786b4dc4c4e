namespace SparseExpansion.Pruning;

/// <summary>
/// A pruner that copies what it hands to code of others and checks what it returns, so that callers need not do it
/// again: <see cref="Sparsifier{TStatistic}"/>.
/// </summary>
internal interface IGuardedSparsifier;
