using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The checks that every pruner makes before it starts.</summary>
internal static class PruningGuard
{
    /// <summary>The statistic as the kind that a pruner works on.</summary>
    public static TStatistic CheckStatistic<TStatistic>(string pruner, IActivationStatistic statistic)
        where TStatistic : class, IActivationStatistic
    {
        ArgumentNullException.ThrowIfNull(statistic);
        return statistic as TStatistic ?? throw new PruningException(
            $"Pruner '{pruner}' works on a {typeof(TStatistic).Name}, but was given a {statistic.GetType().Name}; "
            + $"create it with {pruner}'s CreateStatistic.");
    }

    /// <summary>Refuses a statistic of another width than the weight's.</summary>
    public static void CheckFeatures(string pruner, Tensor weight, int inFeatures)
    {
        if (weight.shape[1] != inFeatures)
        {
            throw new PruningException(
                $"Pruner '{pruner}' was given a statistic of {inFeatures} input features for a weight of "
                + $"{weight.shape[1]} columns.");
        }
    }

    /// <summary>
    /// Refuses Hessians of another width or device than the weight's, and those that no pruner can work with.
    /// </summary>
    public static void CheckHessians(string pruner, Tensor weight, IReadOnlyList<HessianStatistic> statistics)
    {
        for (int i = 0; i < statistics.Count; i++)
        {
            try
            {
                CheckHessian(pruner, weight, statistics[i]);
            }
            catch (Exception e) when (ErrorPlace.Note(e, i))
            {
                throw; // Not reached: the filter only says which expert it was.
            }
        }
    }

    private static void CheckHessian(string pruner, Tensor weight, HessianStatistic statistic)
    {
        CheckFeatures(pruner, weight, statistic.InFeatures);
        if (!Placement.Same(statistic.Hessian.device, weight.device))
        {
            throw new PruningException(
                $"The weight lies on {weight.device}, its statistic on {statistic.Hessian.device}: "
                + "gather it on the weight's device.");
        }

        statistic.ThrowIfUnusable();
    }

    /// <summary>
    /// Refuses weights of the wrong kind, non-finite ones, and those whose columns the target does not divide.
    /// </summary>
    public static void CheckWeight(string pruner, Tensor weight, SparsityTarget target)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(target);
        if (weight.dim() != 2 || !weight.is_floating_point())
        {
            throw new PruningException(
                $"Pruner '{pruner}' needs a floating-point weight [out_features, in_features], "
                + $"got {TensorText.Of(weight)}.");
        }

        if (target is NMTarget nm && weight.shape[1] % nm.GroupSize != 0)
        {
            throw new IncompatibleSparsityException(
                $"{nm} sparsity needs in_features divisible by {nm.GroupSize}; "
                + $"the weight has {weight.shape[1]} columns.", nm, layer: null, weight.shape[1]);
        }

        if (!TensorChecks.AllFinite(weight))
        {
            throw new PruningException($"The weight given to pruner '{pruner}' holds NaN or infinite values.");
        }
    }

    /// <summary>Refuses another number of targets than of statistics.</summary>
    /// <exception cref="ArgumentException">There are not as many targets as statistics.</exception>
    public static void CheckTargets<TStatistic>(
        IReadOnlyList<TStatistic> statistics, IReadOnlyList<SparsityTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(targets);
        if (targets.Count != statistics.Count)
        {
            throw new ArgumentException(
                $"{statistics.Count} experts need as many targets, not {targets.Count}.", nameof(targets));
        }
    }

    /// <summary>The experts that have the same target, in order.</summary>
    /// <exception cref="ArgumentException">There are not as many targets as statistics.</exception>
    public static IReadOnlyList<(SparsityTarget Target, int[] Experts)> GroupByTarget<TStatistic>(
        IReadOnlyList<TStatistic> statistics, IReadOnlyList<SparsityTarget> targets)
    {
        CheckTargets(statistics, targets);
        return [.. Enumerable.Range(0, targets.Count)
            .GroupBy(e => targets[e] ?? throw new ArgumentNullException(nameof(targets)))
            .Select(group => (group.Key, group.ToArray()))];
    }
}
