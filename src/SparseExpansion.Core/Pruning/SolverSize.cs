namespace SparseExpansion.Pruning;

/// <summary>
/// Memory and work of a pruner that factors the Hessians of several experts together and solves for their weights.
/// </summary>
internal static class SolverSize
{
    /// <summary>Memory that experts pruned together may take for factors and weights.</summary>
    private const long ChunkBytes = 2L << 30;

    /// <summary>Share of a large product's speed that factorizations and column updates reach.</summary>
    private const double Efficiency = 0.3;

    /// <summary>
    /// Bytes on the device while experts of one linear are pruned, about; without their statistics and results.
    /// </summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="experts">Experts that are asked for at a time; no more than
    /// <see cref="ExpertsAtOnce"/> are taken together.</param>
    public static long Bytes(long rows, long columns, int experts) =>
        BytesPerExpert(rows, columns) * Math.Min(experts, ExpertsAtOnce(rows, columns));

    /// <summary>Experts that are pruned together.</summary>
    public static int ExpertsAtOnce(long rows, long columns) =>
        (int)Math.Clamp(ChunkBytes / BytesPerExpert(rows, columns), 1, 4096);

    /// <summary>
    /// A factorization, an inverse, and the updates of later columns, which reach a share of a large product's speed.
    /// </summary>
    public static double Work(double rows, double columns) =>
        ((4.0 / 3 * columns * columns * columns) + (columns * columns * rows)) / Efficiency;

    /// <summary>The same of a pruner that only scores weights and selects among them.</summary>
    public static double SelectionWork(double rows, double columns) => 50 * rows * columns;

    /// <summary>
    /// The Hessian, its damped and its reversed copy, two factors and an identity; the weight, its scores and its copy.
    /// </summary>
    private static long BytesPerExpert(long rows, long columns) =>
        sizeof(float) * ((6 * columns * columns) + (3 * rows * columns));
}
