namespace SparseExpansion.Pruning;

/// <summary>Experts that come and go together.</summary>
internal static class PruningResults
{
    public static void DisposeAll(this IEnumerable<PruningResult> results)
    {
        foreach (PruningResult result in results)
        {
            result.Dispose();
        }
    }
}
