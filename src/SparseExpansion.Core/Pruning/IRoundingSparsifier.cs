namespace SparseExpansion.Pruning;

/// <summary>
/// A pruner that may put the kept weights on a grid of few values and hands it back as <see cref="PrunedWeight.Grid"/>.
/// It is refused where the weights would leave their grid again: a refit, fine-tuning, a second rounding.
/// </summary>
public interface IRoundingSparsifier : ISparsifier
{
    /// <summary>True if it does with the options in force.</summary>
    bool RoundsWeights { get; }
}
