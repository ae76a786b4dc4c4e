using SparseExpansion.Internal;

namespace SparseExpansion.Pruning;

/// <summary>Experts that are pruned one after the other.</summary>
internal static class PruningSeries
{
    /// <summary>Prunes each of some experts; an error knows which one it arose at, and leaves nothing behind.</summary>
    /// <param name="experts">Number of experts.</param>
    /// <param name="prune">Prunes one.</param>
    /// <returns>The results in order; the caller disposes them.</returns>
    public static IReadOnlyList<PruningResult> Run(int experts, Func<int, PruningResult> prune)
    {
        var results = new List<PruningResult>(experts);
        try
        {
            while (results.Count < experts)
            {
                results.Add(prune(results.Count));
            }

            return results;
        }
        catch (Exception e) when (ErrorPlace.Note(e, results.Count))
        {
            throw; // Not reached: the filter only says which expert it was.
        }
        catch
        {
            results.ForEach(result => result.Dispose());
            throw;
        }
    }
}
