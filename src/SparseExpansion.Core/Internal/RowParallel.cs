using static TorchSharp.torch;

namespace SparseExpansion.Internal;

/// <summary>Splits independent rows over the threads that torch is allowed.</summary>
internal static class RowParallel
{
    /// <summary>Elements below which another thread does not pay.</summary>
    private const long MinimumElements = 1 << 14;

    /// <summary>Runs <paramref name="body"/> on ranges [from, to) that cover all rows. Rows must not depend on each other: results do not depend on the split.</summary>
    public static void For(long rows, long elementsPerRow, Action<long, long> body)
    {
        if (rows == 0)
        {
            return;
        }

        int threads = (int)Math.Clamp(rows * elementsPerRow / MinimumElements, 1, get_num_threads());
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
