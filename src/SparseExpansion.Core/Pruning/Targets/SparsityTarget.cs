using System.Globalization;

namespace SparseExpansion.Pruning.Targets;

/// <summary>The share or pattern of weights that are to go: <see cref="Unstructured"/> or <see cref="NM"/>.</summary>
public abstract record SparsityTarget
{
    /// <summary>Columns of one block of <see cref="SparsityScope.ColumnBlock"/>.</summary>
    internal const int ColumnBlockSize = 128;

    private protected SparsityTarget() { }

    /// <summary>Share of weights that go, in [0, 1).</summary>
    public abstract double Sparsity { get; }

    /// <summary>Prunes exactly floor(n · sparsity) of the n weights of every scope.</summary>
    /// <param name="sparsity">Share of weights that go, in [0, 1).</param>
    /// <param name="scope">The set in which they are counted.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sparsity is outside [0, 1) or not a number.</exception>
    public static UnstructuredTarget Unstructured(double sparsity, SparsityScope scope = SparsityScope.PrunerDefault) =>
        new(sparsity, scope);

    /// <summary>
    /// Prunes exactly <paramref name="pruned"/> of the weights of a layer: rows and column blocks, where they are the
    /// scope, get their shares of it and differ by at most one.
    /// </summary>
    /// <param name="pruned">Weights that go, in [0, weights).</param>
    /// <param name="weights">Weights of the layer; on a layer of another size the target means their ratio.</param>
    /// <param name="scope">The set in which weights compete.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is not in [0, weights).</exception>
    public static UnstructuredTarget Exactly(
        long pruned, long weights, SparsityScope scope = SparsityScope.PrunerDefault)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pruned);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(pruned, weights);
        return new UnstructuredTarget(pruned, weights, scope);
    }

    /// <summary>
    /// Keeps exactly <paramref name="keep"/> of every <paramref name="groupSize"/> consecutive weights of a row: 2:4 is
    /// <c>NM(2, 4)</c>.
    /// </summary>
    /// <param name="keep">Weights kept in a group, at least 1.</param>
    /// <param name="groupSize">Weights in a group; it must divide the columns of the layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The numbers do not
    /// satisfy 1 ≤ keep ≤ groupSize ≤ 128.</exception>
    public static NMTarget NM(int keep, int groupSize) => new(keep, groupSize);

    /// <summary>Reads <c>0.5</c> (unstructured) or <c>2:4</c> (kept : group size).</summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The numbers are out of range.</exception>
    public static SparsityTarget Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        if (parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int keep)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int groupSize))
        {
            return NM(keep, groupSize);
        }

        return parts.Length == 1
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double sparsity)
            ? Unstructured(sparsity)
            : throw new FormatException(
                $"'{text}' is not a sparsity: write a share such as 0.5, or kept:group such as 2:4.");
    }
}
