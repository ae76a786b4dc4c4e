using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Memory;

/// <summary>The speed at which threads read memory, which bounds the speed of decoding.</summary>
internal static class ReadRate
{
    private const int Passes = 6;
    private const int Piece = 1 << 14;

    /// <summary>Bytes per second, the best of some passes over memory that fits no cache.</summary>
    /// <param name="threads">Threads that read together, each a part of its own.</param>
    /// <param name="bytes">Bytes in all.</param>
    public static double Measure(int threads, long bytes = 512L << 20)
    {
        long share = bytes / threads / sizeof(int) / Piece * Piece;
        NativeArray[] parts = [.. Enumerable.Range(0, threads).Select(_ => Filled(share))];
        try
        {
            double best = 0;
            for (int pass = 0; pass < Passes; pass++)
            {
                best = Math.Max(best, threads * share * sizeof(int) / Seconds(parts));
            }

            return best;
        }
        finally
        {
            Array.ForEach(parts, part => part.Dispose());
        }
    }

    private static NativeArray Filled(long length)
    {
        NativeArray array = NativeArray.Allocate(length, ElementType.Int32);
        for (long i = 0; i < length; i += Piece)
        {
            array.Span<int>(i, Piece).Fill(1);
        }

        return array;
    }

    private static double Seconds(NativeArray[] parts)
    {
        using var start = new Barrier(parts.Length + 1);
        Thread[] threads = [.. parts.Select(part => new Thread(() =>
        {
            start.SignalAndWait();
            Read(part);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        start.SignalAndWait();
        long begin = Stopwatch.GetTimestamp();
        Array.ForEach(threads, thread => thread.Join());
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static void Read(NativeArray part)
    {
        long sum = 0;
        for (long i = 0; i < part.Length; i += Piece)
        {
            sum += Sum(part.Span<int>(i, Piece));
        }

        if (sum != part.Length) // Also keeps the sums from being left out.
        {
            throw new InvalidOperationException($"{part.Length} ones have a sum of {sum}.");
        }
    }

    /// <summary>Four sums at a time, so that additions do not wait for each other.</summary>
    private static int Sum(ReadOnlySpan<int> numbers)
    {
        ReadOnlySpan<Vector<int>> vectors = MemoryMarshal.Cast<int, Vector<int>>(numbers);
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
