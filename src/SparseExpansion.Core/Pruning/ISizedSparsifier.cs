namespace SparseExpansion.Pruning;

/// <summary>A pruner that can tell beforehand what it takes.</summary>
internal interface ISizedSparsifier
{
    /// <summary>Bytes on the device while experts of one linear are pruned, about; without their statistics and results.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="experts">Experts that are asked for at a time; the pruner may take fewer together.</param>
    long BytesToPrune(long rows, long columns, int experts);

    /// <summary>Its time divided by that of SparseGPT, about.</summary>
    double RelativeTime => 1;
}
