namespace SparseExpansion.Pruning;

/// <summary>
/// A pruner that reports its memory and work beforehand, for memory plans. One that does not is counted as SparseGPT
/// is; its statistic tells its own size by <see cref="Calibration.Statistics.ISizedStatistic"/>.
/// </summary>
public interface ISizedSparsifier : ISparsifier
{
    /// <summary>
    /// Bytes on the device while experts of one linear are pruned, about; without their statistics and results.
    /// </summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="experts">Experts that are asked for at a time, at least 1;
    /// the pruner may take fewer together.</param>
    long BytesToPrune(long rows, long columns, int experts);

    /// <summary>
    /// Work to prune one expert of one linear whose statistic is gathered: the floating-point operations that a large
    /// float32 product makes in the same time, about.
    /// </summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    double WorkToPrune(long rows, long columns);
}
