using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Expansion;

/// <summary>A step of an expansion.</summary>
/// <param name="Stage">The stage of the work.</param>
/// <param name="Block">Index of the block, from 0.</param>
/// <param name="BlockCount">Number of blocks.</param>
/// <param name="Layer">The linear or input group at work; null where none is.</param>
/// <param name="Fraction">
/// Share of the whole work that is done, in [0, 1], counted in input groups, and by estimate within them; it never
/// falls.
/// </param>
public sealed record ExpansionProgress(ExpansionStage Stage, int Block, int BlockCount, string? Layer, double Fraction)
{
    /// <summary>Estimated time until the end, from the speed of this run so far; null while nothing is done.</summary>
    public TimeSpan? TimeLeft { get; init; }
}
