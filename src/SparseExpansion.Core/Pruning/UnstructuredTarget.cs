using System.Globalization;

namespace SparseExpansion.Pruning;

/// <summary>Unstructured sparsity; see <see cref="SparsityTarget.Unstructured"/>.</summary>
public sealed record UnstructuredTarget : SparsityTarget
{
    internal UnstructuredTarget(double sparsity, SparsityScope scope)
    {
        if (!(sparsity is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "Sparsity is the share of weights that go: at least 0 and below 1.");
        }

        if (!Enum.IsDefined(scope))
        {
            throw new ArgumentOutOfRangeException(nameof(scope), scope, "Unknown sparsity scope.");
        }

        Sparsity = sparsity;
        Scope = scope;
    }

    /// <inheritdoc/>
    public override double Sparsity { get; }

    /// <summary>The set in which the sparsity is counted out.</summary>
    public SparsityScope Scope { get; }

    /// <inheritdoc/>
    public override string ToString() => Scope == SparsityScope.PrunerDefault
        ? Sparsity.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Sparsity} ({Scope})");
}
