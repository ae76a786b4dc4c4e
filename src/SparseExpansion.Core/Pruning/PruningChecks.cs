using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Checks of the results of pruners, custom ones above all, in one pass over the weight.</summary>
internal static class PruningChecks
{
    /// <summary>
    /// Part of the weights by which a pruner may fall short of an unstructured target: scopes of its own are rounded
    /// otherwise than the library's.
    /// </summary>
    private const double Shortfall = 0.01;

    /// <summary>An empty statistic of a pruner; the caller disposes it.</summary>
    /// <exception cref="PruningException">The pruner made none.</exception>
    public static IActivationStatistic CreateStatistic(
        ISparsifier sparsifier, LayerDescriptor layer) => sparsifier.CreateStatistic(layer)
        ?? throw new PruningException(
            $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} made no statistic: "
            + "CreateStatistic returned null.");

    /// <summary>
    /// Prunes, and finds a custom pruner that writes to statistics, which the other linears of a group are pruned by.
    /// </summary>
    /// <exception cref="PruningException">It did.</exception>
    public static T Unchanged<T>(
        ISparsifier sparsifier, IReadOnlyList<IActivationStatistic> statistics, Func<T> prune,
        Action<T>? discard = null)
    {
        if (!CustomPart.Is(sparsifier))
        {
            return prune();
        }

        double[] before = [.. statistics.Select(Checksum)];
        T pruned = prune();
        int changed = Enumerable.Range(0, before.Length)
            .FirstOrDefault(i => !Checksum(statistics[i]).Equals(before[i]), -1);
        if (changed < 0)
        {
            return pruned;
        }

        discard?.Invoke(pruned);
        var error = new PruningException(
            $"Pruner {CustomPart.Describe(sparsifier.Name, sparsifier)} changed the "
            + $"{statistics[changed].GetType().Name} that it was given, which is shared with other layers; "
            + "work on a clone() of its tensors.");
        ErrorPlace.Note(error, changed);
        throw error;

        static double Checksum(IActivationStatistic statistic) => (statistic as IChecksummed)?.Checksum() ?? 0;
    }

    /// <summary>Refuses a result of another shape, dtype or device than the dense weight.</summary>
    /// <param name="pruner">Name and class.</param>
    /// <param name="dense">[out_features, in_features].</param>
    /// <param name="pruned">Result of the pruner.</param>
    public static PrunedWeight CheckForm(string pruner, Tensor dense, PrunedWeight? pruned)
    {
        if (pruned?.Weight is not { } weight)
        {
            throw new PruningException($"Pruner {pruner} returned null in place of a weight.");
        }

        return weight.is_floating_point() && weight.shape.SequenceEqual(dense.shape)
            && Placement.Same(weight.device, dense.device)
            ? pruned
            : throw new PruningException(
                $"Pruner {pruner} returned {TensorText.Of(weight)} on {weight.device} for a "
                + $"weight {TensorText.Of(dense)} on {dense.device}.");
    }

    /// <summary>Refuses values that are not finite, and masks that miss the target.</summary>
    /// <param name="pruner">Name and class.</param>
    /// <param name="weight">The pruned weight, [out_features, in_features].</param>
    /// <param name="zeros">Number of its weights that are zero.</param>
    /// <param name="target">The target asked for; null where the mask is not this pruner's.</param>
    /// <param name="mayKeepMore"><see cref="PrunedWeight.MayKeepMore"/>.</param>
    public static void CheckValues(string pruner, Tensor weight, long zeros, SparsityTarget? target, bool mayKeepMore)
    {
        if (!TensorChecks.AllFinite(weight))
        {
            throw new PruningException($"Pruner {pruner} returned a weight with NaN or infinite values.");
        }

        if (target is null || mayKeepMore)
        {
            return;
        }

        if (target is NMTarget groups && !KeepsToGroups(weight, groups))
        {
            throw new PruningException(
                $"Pruner {pruner} kept more than {groups.Keep} of {groups.GroupSize} consecutive weights "
                + $"where the target is {groups}.");
        }

        long least = target is UnstructuredTarget ? LeastZeros(weight.shape[0], weight.shape[1], target.Sparsity) : 0;
        if (zeros < least)
        {
            throw new PruningException(
                $"Pruner {pruner} pruned {zeros} of {weight.numel()} weights, but the target {target} "
                + $"asks for at least {least}. "
                + $"If this is intended, return the weight with {nameof(PrunedWeight.MayKeepMore)} = true.");
        }
    }

    /// <summary>Refuses an output error that is not a number.</summary>
    public static double? CheckError(IActivationStatistic statistic, double? error) => error is null
        || (double.IsFinite(error.Value) && (error >= 0 || !CustomPart.Is(statistic)))
        ? error
        : throw new PruningException(
            $"The statistic {statistic.GetType().Name} reports a relative output error of {error}; "
            + "it must be a number of at least 0.");

    /// <summary>
    /// Zeros that are left where each row, or each column, rounds its own count down, less what is tolerated; any
    /// coarser scope leaves more.
    /// </summary>
    internal static long LeastZeros(long rows, long columns, double sparsity)
    {
        long byRows = rows * UnstructuredTarget.PrunedCount(columns, sparsity),
            byColumns = columns * UnstructuredTarget.PrunedCount(rows, sparsity);
        return Math.Max(0, Math.Min(byRows, byColumns) - (long)(Shortfall * rows * columns));
    }

    private static bool KeepsToGroups(Tensor weight, NMTarget groups)
    {
        using var scope = NewDisposeScope();
        return weight.ne(Scalars.Of(0)).reshape(-1, groups.GroupSize).sum([1L], type: ScalarType.Int32).max()
            .item<int>() <= groups.Keep;
    }
}
