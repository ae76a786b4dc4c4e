using System.Globalization;

namespace SparseExpansion.Pruning.Targets;

/// <summary>Unstructured sparsity; see <see cref="SparsityTarget.Unstructured"/>.</summary>
public sealed record UnstructuredTarget : SparsityTarget
{
    internal UnstructuredTarget(double sparsity, SparsityScope scope)
    {
        if (!(sparsity is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(sparsity), sparsity, "Sparsity is the share of pruned weights: at least 0 and below 1.");
        }

        if (!Enum.IsDefined(scope))
        {
            throw new ArgumentOutOfRangeException(nameof(scope), scope, "Unknown sparsity scope.");
        }

        Sparsity = sparsity;
        Scope = scope;
    }

    /// <remarks>The next number above p / n: so floor(n · sparsity) is p whatever the division rounds to.</remarks>
    internal UnstructuredTarget(long pruned, long weights, SparsityScope scope)
        : this(Math.BitIncrement((double)pruned / weights), scope) => IsExact = true;

    /// <inheritdoc/>
    public override double Sparsity { get; }

    /// <summary>The set in which the sparsity is counted out.</summary>
    public SparsityScope Scope { get; }

    /// <summary>
    /// True if the count holds for all weights together and the scopes share it out, see
    /// <see cref="SparsityTarget.Exactly"/>; else it is rounded down in every scope.
    /// </summary>
    public bool IsExact { get; }

    /// <summary>Weights that go of <paramref name="count"/>: floor(count · sparsity).</summary>
    internal static long PrunedCount(long count, double sparsity) => (long)Math.Floor(count * sparsity);

    /// <summary>Share of the weights of some columns of a layer that go.</summary>
    /// <param name="rows">Rows of the layer.</param>
    /// <param name="start">First column.</param>
    /// <param name="width">Columns.</param>
    /// <param name="columns">All columns of the layer.</param>
    internal double SparsityOf(long rows, long start, long width, long columns)
    {
        if (!IsExact)
        {
            return Sparsity;
        }

        long count = Before(rows, start + width, columns) - Before(rows, start, columns);
        return Math.BitIncrement((double)count / (rows * width));
    }

    /// <inheritdoc/>
    public override string ToString() => Scope == SparsityScope.PrunerDefault
        ? Sparsity.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Sparsity} ({Scope})");

    /// <summary>Weights that go from the first columns: the layer's count in proportion, rounded down.</summary>
    private long Before(long rows, long end, long columns) =>
        (long)((Int128)PrunedCount(rows * columns, Sparsity) * end / columns);
}
