using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Selection;

/// <summary>
/// Exact selection of the scores of smallest magnitude in host memory: <see cref="BracketedSearch"/> finds the largest
/// score that goes, and one pass marks, ties by index. Linear time where a sort is not.
/// </summary>
internal static unsafe class SmallestSelector
{
    /// <summary>Sets up to this size, the groups of N:M, are searched directly.</summary>
    private const int SmallSet = 16;

    /// <summary>Marks the <paramref name="count"/> scores of smallest magnitude of every set.</summary>
    /// <param name="sets">[sets, n], float32 in host memory (NaN is put somewhere, not refused).</param>
    /// <param name="count">Number of scores to mark in each set, in [1, n].</param>
    /// <returns>bool, [sets, n].</returns>
    public static Tensor Mark(Tensor sets, long count)
    {
        using var scope = NewDisposeScope();
        Tensor scores = sets.contiguous();
        long setCount = sets.shape[0], n = sets.shape[1];
        Tensor mask = empty(sets.shape, ScalarType.Bool);
        if (setCount == 0)
        {
            return mask.MoveToOuterDisposeScope();
        }

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

        using var search = new BracketedSearch();
        for (long set = from; set < to; set++)
        {
            uint* bits = (uint*)(scores + (set * n));
            RankSearch.Limit limit = search.Find(bits, n, count);
            MarkUpTo(bits, marks + (set * n), n, limit.Value);
            UnmarkLast(bits, marks + (set * n), n, limit);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MarkUpTo(uint* bits, byte* marks, long n, uint limit)
    {
        Vector512<uint> limits = Vector512.Create(limit);
        long i = 0;
        for (; i + 64 <= n; i += 64)
        {
            Vector512<ushort> low = Vector512.Narrow(UpTo(bits + i, limits), UpTo(bits + i + 16, limits));
            Vector512<ushort> high = Vector512.Narrow(UpTo(bits + i + 32, limits), UpTo(bits + i + 48, limits));
            Vector512.Narrow(low, high).Store(marks + i);
        }

        for (; i < n; i++)
        {
            marks[i] = (bits[i] & RankSearch.Magnitude) <= limit ? (byte)1 : (byte)0;
        }
    }

    private static Vector512<uint> UpTo(uint* bits, Vector512<uint> limits) =>
        Vector512.LessThanOrEqual(
            Vector512.Load(bits) & Vector512.Create(RankSearch.Magnitude), limits) & Vector512<uint>.One;

    /// <summary>Takes the marks of the ties that stay, the last ones, away again.</summary>
    private static void UnmarkLast(uint* bits, byte* marks, long n, RankSearch.Limit limit)
    {
        long end = n;
        for (long staying = limit.Staying; staying > 0; staying--)
        {
            end = FindLast(bits, end, limit.Value);
            marks[end] = 0;
        }
    }

    /// <summary>Position of the last magnitude of a value; there must be one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long FindLast(uint* bits, long n, uint value)
    {
        Vector512<uint> values = Vector512.Create(value), magnitude = Vector512.Create(RankSearch.Magnitude);
        long i = n;
        while (i >= Vector512<uint>.Count
            && !Vector512.EqualsAny(Vector512.Load(bits + i - Vector512<uint>.Count) & magnitude, values))
        {
            i -= Vector512<uint>.Count;
        }

        do
        {
            i--;
        }
        while ((bits[i] & RankSearch.Magnitude) != value);
        return i;
    }
}
