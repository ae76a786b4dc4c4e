using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The checks that every pruner makes before it starts.</summary>
internal static class PruningGuard
{
    public static TStatistic Check<TStatistic>(string pruner, Tensor weight, IActivationStatistic statistic, SparsityTarget target)
        where TStatistic : class, IActivationStatistic
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(statistic);
        ArgumentNullException.ThrowIfNull(target);
        CheckWeight(pruner, weight, target);
        return statistic as TStatistic ?? throw new PruningException(
            $"Pruner '{pruner}' works on a {typeof(TStatistic).Name}, but was given a {statistic.GetType().Name}; create it with {pruner}'s CreateStatistic.");
    }

    private static void CheckWeight(string pruner, Tensor weight, SparsityTarget target)
    {
        if (weight.dim() != 2 || !weight.is_floating_point())
        {
            throw new PruningException($"Pruner '{pruner}' wants a floating-point weight [out_features, in_features], got {weight.dtype} [{string.Join(", ", weight.shape)}].");
        }

        if (target is NMTarget nm && weight.shape[1] % nm.GroupSize != 0)
        {
            throw new PruningException($"{nm} sparsity needs in_features divisible by {nm.GroupSize}; the weight has {weight.shape[1]} columns.");
        }

        if (!TensorChecks.AllFinite(weight))
        {
            throw new PruningException($"The weight given to pruner '{pruner}' holds NaN or infinite values.");
        }
    }
}
