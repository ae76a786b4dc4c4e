using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Rate at which this machine reads memory that is in no cache, which limits the decoding of single tokens.</summary>
/// <param name="BytesPerSecond">The fastest of a few passes.</param>
/// <param name="Threads">Threads that read together.</param>
internal sealed record ReadBandwidth(double BytesPerSecond, int Threads)
{
    /// <summary>More than last-level caches hold.</summary>
    private const long Bytes = 512L << 20;

    /// <summary>Measures, in well under a second.</summary>
    public static ReadBandwidth Measure()
    {
        int threads = Environment.ProcessorCount;
        return new ReadBandwidth(ReadRate.Measure(threads, MemoryToUse()), threads);
    }

    private static long MemoryToUse() =>
        Math.Min(Bytes, Math.Max(64L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8));
}
