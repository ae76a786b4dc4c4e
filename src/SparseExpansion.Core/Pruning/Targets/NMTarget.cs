using System.Globalization;

namespace SparseExpansion.Pruning.Targets;

/// <summary>N:M sparsity, N kept of M; see <see cref="SparsityTarget.NM"/>.</summary>
public sealed record NMTarget : SparsityTarget
{
    internal NMTarget(int keep, int groupSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groupSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(groupSize, ColumnBlockSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keep, groupSize);
        Keep = keep;
        GroupSize = groupSize;
    }

    /// <summary>Weights kept in a group.</summary>
    public int Keep { get; }

    /// <summary>Consecutive weights of a row that form a group.</summary>
    public int GroupSize { get; }

    /// <inheritdoc/>
    public override double Sparsity => 1.0 - (double)Keep / GroupSize;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Keep}:{GroupSize}");
}
