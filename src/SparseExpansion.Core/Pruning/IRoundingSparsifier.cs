namespace SparseExpansion.Pruning;

/// <summary>A pruner that may put the kept weights on a grid of few values.</summary>
internal interface IRoundingSparsifier
{
    /// <summary>True if it does.</summary>
    bool RoundsWeights { get; }
}
