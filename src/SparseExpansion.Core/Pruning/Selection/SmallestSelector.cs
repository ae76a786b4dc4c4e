using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Exact selection of the smallest scores in host memory. The bits of non-negative floats order as the numbers do, so
/// counting by the leading 12 bits leaves few candidates, and two more counts of 10 bits find the largest score that
/// goes; a last pass marks, ties by index. Linear time where a sort is not.
/// </summary>
internal static unsafe class SmallestSelector
{
    private const int LeadingShift = 20, MiddleShift = 10;
    private const int LeadingBuckets = 1 << 12, Buckets = 1 << 10;

    /// <summary>Sets up to this size, the groups of N:M, are searched directly.</summary>
    private const int SmallSet = 16;

    /// <summary>Marks the <paramref name="count"/> smallest scores of every set.</summary>
    /// <param name="sets">[sets, n], float32 in host memory, at least 0 (NaN is put somewhere, not refused).</param>
    /// <param name="count">How many of each set, in [1, n].</param>
    /// <returns>bool, [sets, n].</returns>
    public static Tensor Mark(Tensor sets, long count)
    {
        using var scope = NewDisposeScope();
        Tensor scores = sets.contiguous();
        long setCount = sets.shape[0], n = sets.shape[1];
        Tensor mask = empty(sets.shape, ScalarType.Bool);
        float* source = RawMemory.Pointer<float>(scores);
        byte* marks = RawMemory.Pointer<byte>(mask);
        RowParallel.For(setCount, n, (from, to) => MarkSets(source, marks, from, to, n, count));
        return mask.MoveToOuterDisposeScope();
    }

    private static void MarkSets(float* scores, byte* marks, long from, long to, long n, long count)
    {
        if (n <= SmallSet)
        {
            for (long set = from; set < to; set++)
            {
                SmallGroup.Mark(scores + (set * n), marks + (set * n), (int)n, (int)count);
            }

            return;
        }

        var counters = new long[LeadingBuckets];
        var candidates = new List<uint>();
        for (long set = from; set < to; set++)
        {
            uint* bits = (uint*)(scores + (set * n));
            long ties = count;
            uint limit = FindLimit(bits, n, ref ties, counters, candidates);
            MarkUpTo(bits, marks + (set * n), n, limit, ties);
        }
    }

    /// <summary>The <paramref name="rank"/>-th smallest of n numbers (from 1); leaves its rank among those equal to it.</summary>
    private static uint FindLimit(uint* bits, long n, ref long rank, long[] counters, List<uint> candidates)
    {
        Array.Clear(counters);
        for (long i = 0; i < n; i++)
        {
            counters[bits[i] >> LeadingShift]++;
        }

        uint leading = FindBucket(counters, ref rank);
        candidates.Clear();
        for (long i = 0; i < n; i++)
        {
            if (bits[i] >> LeadingShift == leading)
            {
                candidates.Add(bits[i]);
            }
        }

        uint upper = (leading << MiddleShift) | FindPart(candidates, MiddleShift, ref rank, counters);
        candidates.RemoveAll(candidate => candidate >> MiddleShift != upper);
        return (upper << MiddleShift) | FindPart(candidates, 0, ref rank, counters);
    }

    private static uint FindPart(List<uint> candidates, int shift, ref long rank, long[] counters)
    {
        Array.Clear(counters);
        foreach (uint candidate in candidates)
        {
            counters[(candidate >> shift) & (Buckets - 1)]++;
        }

        return FindBucket(counters, ref rank);
    }

    private static uint FindBucket(long[] counters, ref long rank)
    {
        uint bucket = 0;
        while (rank > counters[bucket])
        {
            rank -= counters[bucket++];
        }

        return bucket;
    }

    private static void MarkUpTo(uint* bits, byte* marks, long n, uint limit, long ties)
    {
        long i = 0;
        for (; i < n && ties > 0; i++)
        {
            bool equal = bits[i] == limit;
            ties -= equal ? 1 : 0;
            marks[i] = equal || bits[i] < limit ? (byte)1 : (byte)0;
        }

        for (; i < n; i++)
        {
            marks[i] = bits[i] < limit ? (byte)1 : (byte)0;
        }
    }
}
