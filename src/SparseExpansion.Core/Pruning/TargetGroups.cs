using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Pruning;

/// <summary>Experts of equal target, which are pruned together.</summary>
internal static class TargetGroups
{
    /// <summary>Prunes the experts of each target; an error names the expert by its number among all.</summary>
    /// <param name="statistics">One statistic an expert.</param>
    /// <param name="targets">One target an expert.</param>
    /// <param name="prune">Prunes some of the experts, all to one target.</param>
    /// <returns>Its results, in the order of the experts. Where it throws,
    /// former results that can be are disposed.</returns>
    /// <exception cref="ArgumentException">There are not as many targets as statistics.</exception>
    public static IReadOnlyList<T> Run<TStatistic, T>(
        IReadOnlyList<TStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        Func<TStatistic[], SparsityTarget, IReadOnlyList<T>> prune)
        where T : class
    {
        IReadOnlyList<(SparsityTarget, int[])> groups = PruningGuard.GroupByTarget(statistics, targets);
        var results = new T?[statistics.Count];
        try
        {
            foreach ((SparsityTarget target, int[] experts) in groups)
            {
                IReadOnlyList<T> together = Together(experts, target);
                for (int i = 0; i < experts.Length; i++)
                {
                    results[experts[i]] = together[i];
                }
            }

            return results!;
        }
        catch
        {
            Array.ForEach(results, result => (result as IDisposable)?.Dispose());
            throw;
        }

        IReadOnlyList<T> Together(int[] experts, SparsityTarget target)
        {
            try
            {
                return prune([.. experts.Select(expert => statistics[expert])], target);
            }
            catch (Exception e) when (ErrorPlace.Translate(e, experts))
            {
                throw; // Not reached: the filter only says which expert it was.
            }
        }
    }
}
