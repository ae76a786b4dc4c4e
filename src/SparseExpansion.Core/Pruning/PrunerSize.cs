namespace SparseExpansion.Pruning;

/// <summary>The memory of any pruner, reported by it or estimated.</summary>
internal static class PrunerSize
{
    /// <summary>Bytes on the device while experts of one linear are pruned, about.</summary>
    /// <param name="sparsifier">A pruner; one that does not tell is taken for one
    /// that solves for weights as SparseGPT does.</param>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="experts">Experts that are asked for at a time.</param>
    public static long Bytes(ISparsifier sparsifier, long rows, long columns, int experts) =>
        sparsifier is ISizedSparsifier sized
            ? sized.BytesToPrune(rows, columns, experts)
            : SolverSize.Bytes(rows, columns, experts);

    /// <summary>Work to prune one expert of one linear, see <see cref="ISizedSparsifier.WorkToPrune"/>.</summary>
    public static double Work(ISparsifier sparsifier, long rows, long columns) =>
        sparsifier is ISizedSparsifier sized ? sized.WorkToPrune(rows, columns) : SolverSize.Work(rows, columns);
}
