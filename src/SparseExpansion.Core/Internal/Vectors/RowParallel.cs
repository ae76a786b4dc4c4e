using static TorchSharp.torch;

namespace SparseExpansion.Internal.Vectors;

/// <summary>Splits independent rows over the threads that torch is allowed.</summary>
internal static class RowParallel
{
    /// <summary>Elements for each thread below which another one does not pay.</summary>
    private const long MinimumElements = 1 << 14;

    /// <summary>The same for passes that wait for memory, of which one thread makes good use.</summary>
    private const long MinimumMemoryElements = 1 << 19;

    /// <summary>
    /// Runs <paramref name="body"/> on ranges [from, to) that cover all rows. Rows must not
    /// depend on each other: results do not depend on the split.
    /// </summary>
    public static void For(long rows, long elementsPerRow, Action<long, long> body) =>
        For(rows, elementsPerRow, MinimumElements, body);

    /// <summary>
    /// The same for passes of little arithmetic between torch's own calls: after those torch's threads spin for a while
    /// where others would have to run, so that one thread is done sooner with up to a million elements.
    /// </summary>
    public static void ForMemory(long rows, long elementsPerRow, Action<long, long> body) =>
        For(rows, elementsPerRow, MinimumMemoryElements, body);

    private static void For(long rows, long elementsPerRow, long minimumElements, Action<long, long> body)
    {
        if (rows == 0)
        {
            return;
        }

        int threads = (int)Math.Clamp(rows * elementsPerRow / minimumElements, 1, get_num_threads());
        if (threads == 1)
        {
            body(0, rows);
            return;
        }

        // A few panels a thread, so that a late thread holds the others up for one panel only.
        long panels = Math.Min(rows, threads * 4L);
        Parallel.For(0L, panels, new ParallelOptions { MaxDegreeOfParallelism = threads }, panel =>
            body(rows * panel / panels, rows * (panel + 1) / panels));
    }
}
