using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using SparseExpansion.Execution;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Rate at which this machine reads memory that is in no cache, which limits the decoding of single tokens.</summary>
/// <param name="BytesPerSecond">The fastest of a few passes.</param>
/// <param name="Threads">Threads that read together.</param>
internal sealed record ReadBandwidth(double BytesPerSecond, int Threads)
{
    /// <summary>More than last-level caches hold.</summary>
    private const long Bytes = 512L << 20;
    private const int Passes = 4;

    private static int s_sink; // Sums go here, so that nobody leaves the reading out.

    /// <summary>Measures, in well under a second.</summary>
    public static ReadBandwidth Measure()
    {
        int threads = Environment.ProcessorCount, slice = checked((int)(MemoryToUse() / threads / 4096 * 4096));
        using NativeArray memory = NativeArray.Allocate((long)slice * threads, ElementType.Byte);
        Parallel.For(0, threads, Options(threads), i => memory.Span<byte>((long)i * slice, slice).Fill(1));
        double best = double.PositiveInfinity;
        for (int pass = 0; pass < Passes; pass++)
        {
            long started = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, Options(threads), i => Interlocked.Add(ref s_sink, Sum(memory.Span<byte>((long)i * slice, slice))));
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return new ReadBandwidth((double)slice * threads / best, threads);
    }

    private static ParallelOptions Options(int threads) => new() { MaxDegreeOfParallelism = threads };

    private static long MemoryToUse() =>
        Math.Min(Bytes, Math.Max(64L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8));

    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<Vector<int>> vectors = MemoryMarshal.Cast<byte, Vector<int>>(bytes);
        Vector<int> first = default, second = default, third = default, fourth = default;
        for (int i = 0; i + 4 <= vectors.Length; i += 4)
        {
            first += vectors[i];
            second += vectors[i + 1];
            third += vectors[i + 2];
            fourth += vectors[i + 3];
        }

        return Vector.Sum(first + second + third + fourth);
    }
}
