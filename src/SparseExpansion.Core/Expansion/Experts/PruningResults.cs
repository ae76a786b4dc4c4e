using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion;

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
