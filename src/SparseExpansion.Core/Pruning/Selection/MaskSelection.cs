using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Selection;

/// <summary>
/// The choice of the weights that go, from their scores: exact counts, lowest magnitudes first, ties by lowest index.
/// Works on batches [.., rows, columns] on any device; the result says true where a weight is pruned.
/// </summary>
internal static class MaskSelection
{
    /// <summary>The pruned weights under a target.</summary>
    /// <param name="scores">[.., rows, columns], float32, finite; their magnitudes count.</param>
    /// <param name="target">Share or pattern of the weights that go.</param>
    /// <param name="defaultScope">Meaning of <see cref="SparsityScope.PrunerDefault"/>.</param>
    /// <returns>bool, the shape of <paramref name="scores"/>.</returns>
    public static Tensor Select(Tensor scores, SparsityTarget target, SparsityScope defaultScope) => target switch
    {
        NMTarget nm => SelectGroups(scores, nm.Keep, nm.GroupSize),
        UnstructuredTarget { IsExact: true } exact => SelectExactly(scores, exact, Resolve(exact.Scope, defaultScope)),
        UnstructuredTarget unstructured =>
            Select(scores, unstructured.Sparsity, Resolve(unstructured.Scope, defaultScope)),
        _ => throw new PruningException($"Unknown sparsity target {target.GetType().Name}."),
    };

    /// <summary>The pruned weights of experts under a target each.</summary>
    /// <param name="scores">[k, rows, columns], float32, finite; their magnitudes count.</param>
    /// <param name="targets">Shares or patterns of the weights that go, one for each expert.</param>
    /// <param name="defaultScope">Meaning of <see cref="SparsityScope.PrunerDefault"/>.</param>
    /// <returns>bool, the shape of <paramref name="scores"/>.</returns>
    public static Tensor Select(Tensor scores, IReadOnlyList<SparsityTarget> targets, SparsityScope defaultScope)
    {
        if (targets.All(targets[0].Equals))
        {
            return Select(scores, targets[0], defaultScope);
        }

        using var scope = NewDisposeScope();
        return stack(targets.Select((target, e) => Select(scores.select(0, e), target, defaultScope)), 0)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The scope that an unstructured target asks for.</summary>
    public static SparsityScope Resolve(SparsityScope scope, SparsityScope defaultScope) =>
        scope == SparsityScope.PrunerDefault ? defaultScope : scope;

    /// <summary>Prunes floor(n · sparsity) of the n weights of every scope.</summary>
    public static Tensor Select(Tensor scores, double sparsity, SparsityScope scope)
    {
        using var disposeScope = NewDisposeScope();
        long rows = scores.shape[^2], columns = scores.shape[^1];
        Tensor mask = scope switch
        {
            SparsityScope.Row =>
                Smallest(scores.reshape(-1, columns), UnstructuredTarget.PrunedCount(columns, sparsity)),
            SparsityScope.Layer =>
                Smallest(scores.reshape(-1, rows * columns), UnstructuredTarget.PrunedCount(rows * columns, sparsity)),
            SparsityScope.ColumnBlock => SelectColumnBlocks(scores, sparsity),
            _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, "Unknown sparsity scope."),
        };
        return mask.reshape(scores.shape).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Keeps the <paramref name="keep"/> highest of every <paramref name="groupSize"/> consecutive scores of a row.
    /// </summary>
    public static Tensor SelectGroups(Tensor scores, int keep, int groupSize)
    {
        using var scope = NewDisposeScope();
        return Smallest(scores.reshape(-1, groupSize), groupSize - keep).reshape(scores.shape)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Marks the <paramref name="count"/> scores of smallest magnitude of every set.</summary>
    /// <param name="sets">[sets, n], float32, finite; their magnitudes count.</param>
    /// <param name="count">Number of scores to mark in each set, in [0, n].</param>
    /// <returns>bool, [sets, n].</returns>
    public static Tensor Smallest(Tensor sets, long count)
    {
        if (count == 0)
        {
            return zeros(sets.shape, ScalarType.Bool, sets.device);
        }

        return sets.device.type == TorchSharp.DeviceType.CPU
            ? SmallestSelector.Mark(sets, count)
            : SmallestBySort(sets, count);
    }

    /// <summary>The same as <see cref="Smallest"/> by a stable sort, on any device.</summary>
    public static Tensor SmallestBySort(Tensor sets, long count)
    {
        using var scope = NewDisposeScope();
        (_, Tensor order) = sets.abs().sort(dim: 1, descending: false, stable: true);
        Tensor mask = zeros(sets.shape, ScalarType.Bool, sets.device);
        using Tensor yes = ones(1, ScalarType.Bool, sets.device);
        return mask.scatter_(1, order.narrow(1, 0, count), yes.expand(sets.shape[0], count)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The whole count of the layer; scopes get their proportional shares, cumulatively rounded down.
    /// </summary>
    public static Tensor SelectExactly(Tensor scores, UnstructuredTarget target, SparsityScope scope)
    {
        long rows = scores.shape[^2], columns = scores.shape[^1];
        if (scope == SparsityScope.Row)
        {
            return SelectRowsExactly(scores, UnstructuredTarget.PrunedCount(rows * columns, target.Sparsity));
        }

        long size = scope == SparsityScope.ColumnBlock ? SparsityTarget.ColumnBlockSize : columns;
        using var disposeScope = NewDisposeScope();
        Tensor mask = empty(scores.shape, ScalarType.Bool, scores.device);
        for (long start = 0; start < columns; start += size)
        {
            long width = Math.Min(size, columns - start);
            mask.narrow(-1, start, width).copy_(
                Select(
                    scores.narrow(-1, start, width), target.SparsityOf(rows, start, width, columns),
                    SparsityScope.Layer));
        }

        return mask.MoveToOuterDisposeScope();
    }

    /// <summary>The first rows lose one weight more where the count does not divide.</summary>
    private static Tensor SelectRowsExactly(Tensor scores, long count)
    {
        using var scope = NewDisposeScope();
        long rows = scores.shape[^2], columns = scores.shape[^1], more = count % rows;
        Tensor mask = empty(scores.shape, ScalarType.Bool, scores.device);
        foreach ((long start, long height, long pruned) in new[] { (0, more, (count / rows) + 1), (more, rows - more, count / rows) })
        {
            if (height > 0)
            {
                Tensor part = scores.narrow(-2, start, height);
                mask.narrow(-2, start, height).copy_(Smallest(part.reshape(-1, columns), pruned).reshape(part.shape));
            }
        }

        return mask.MoveToOuterDisposeScope();
    }

    private static Tensor SelectColumnBlocks(Tensor scores, double sparsity)
    {
        Tensor mask = empty(scores.shape, ScalarType.Bool, scores.device);
        long columns = scores.shape[^1];
        for (long start = 0; start < columns; start += SparsityTarget.ColumnBlockSize)
        {
            long width = Math.Min(SparsityTarget.ColumnBlockSize, columns - start);
            using var scope = NewDisposeScope();
            mask.narrow(-1, start, width).copy_(Select(scores.narrow(-1, start, width), sparsity, SparsityScope.Layer));
        }

        return mask;
    }
}
