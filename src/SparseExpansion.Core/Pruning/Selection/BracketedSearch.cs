using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Pruning.Selection;

/// <summary>
/// Finds the magnitude of a given rank of many floats: a sample tells between which two values it lies, one pass counts
/// the numbers below and takes out those between, which are few, and <see cref="RankSearch"/> finds it among them
/// (Floyd and Rivest 1975). Where the sample misled, all numbers are searched, so the result is exact. Candidates lie
/// in memory of the pool. Not for concurrent use.
/// </summary>
internal sealed unsafe class BracketedSearch : IDisposable
{
    /// <summary>Fewer numbers are searched directly.</summary>
    public const int MinimumCount = 1 << 16;

    private const int SampleSize = 1 << 13;

    /// <summary>Numbers between two looks at the room for candidates.</summary>
    private const long Run = 1 << 12;

    /// <summary>Half the width of the bracket, in standard deviations of the sample's rank.</summary>
    private const double Deviations = 4;

    private readonly RankSearch _search = new();
    private readonly uint[] _sample = new uint[SampleSize + 1];
    private uint[] _between = [];

    /// <summary>The <paramref name="rank"/>-th smallest (from 1) of n magnitudes.</summary>
    public RankSearch.Limit Find(uint* bits, long n, long rank)
    {
        if (n >= MinimumCount)
        {
            (uint low, uint high) = Bracket(bits, n, rank);
            (long below, long between) = Split(bits, n, low, high);
            if (rank > below && rank <= below + between)
            {
                fixed (uint* candidates = _between)
                {
                    return _search.Find(candidates, between, rank - below);
                }
            }
        }

        return _search.Find(bits, n, rank);
    }

    /// <summary>Gives the memory back to the pool.</summary>
    public void Dispose()
    {
        _search.Dispose();
        ArrayPool<uint>.Shared.Return(_between);
        _between = [];
    }

    private (uint Low, uint High) Bracket(uint* bits, long n, long rank)
    {
        // An odd step: an even one would see some columns of a matrix only.
        long step = ((n + SampleSize - 1) / SampleSize) | 1, size = 0;
        for (long i = 0; i < n; i += step)
        {
            _sample[size++] = bits[i] & RankSearch.Magnitude;
        }

        double share = (double)rank / n, center = share * size,
            half = (Deviations * Math.Sqrt(size * share * (1 - share))) + 1;
        fixed (uint* sample = _sample)
        {
            uint low = center - half < 1 ? uint.MinValue : _search.Find(sample, size, (long)(center - half)).Value;
            uint high = center + half > size ? uint.MaxValue : _search.Find(sample, size, (long)(center + half)).Value;
            return (low, high);
        }
    }

    /// <summary>Counts the numbers below a bracket and copies out those within.</summary>
    private (long Below, long Between) Split(uint* bits, long n, uint low, uint high)
    {
        long below = 0, between = 0;
        for (long start = 0; start < n; start += Run)
        {
            long count = Math.Min(Run, n - start);
            EnsureRoom(between + count + Vector512<uint>.Count);
            fixed (uint* candidates = _between)
            {
                (long fewer, long found) = Split(bits + start, count, low, high, candidates + between);
                below += fewer;
                between += found;
            }
        }

        return (below, between);
    }

    /// <param name="bits">The numbers.</param>
    /// <param name="n">Number of values.</param>
    /// <param name="low">The first number of the bracket.</param>
    /// <param name="high">The last number of the bracket.</param>
    /// <param name="found">Receives the numbers within; has room for a vector more than n.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (long Below, long Between) Split(uint* bits, long n, uint low, uint high, uint* found)
    {
        Vector512<uint> lows = Vector512.Create(low), highs = Vector512.Create(high),
            magnitude = Vector512.Create(RankSearch.Magnitude);
        long below = 0, between = 0, i = 0;
        for (; i + Vector512<uint>.Count <= n; i += Vector512<uint>.Count)
        {
            Vector512<uint> values = Vector512.Load(bits + i) & magnitude, under = Vector512.LessThan(values, lows);
            Vector512<uint> within = Vector512.LessThanOrEqual(values, highs) & ~under;
            below += BitOperations.PopCount(under.ExtractMostSignificantBits());
            between += Append(values, within, found + between);
        }

        for (; i < n; i++)
        {
            uint value = bits[i] & RankSearch.Magnitude;
            below += value < low ? 1 : 0;
            if (value >= low && value <= high)
            {
                found[between++] = value;
            }
        }

        return (below, between);
    }

    private static int Append(Vector512<uint> values, Vector512<uint> within, uint* end)
    {
        ulong hits = within.ExtractMostSignificantBits();
        if (Avx512F.IsSupported)
        {
            Avx512F.Compress(Vector512<uint>.Zero, within, values).Store(end);
            return BitOperations.PopCount(hits);
        }

        int count = 0;
        for (ulong left = hits; left != 0; left &= left - 1)
        {
            end[count++] = values[BitOperations.TrailingZeroCount(left)];
        }

        return count;
    }

    private void EnsureRoom(long count)
    {
        if (count > _between.Length)
        {
            uint[] former = _between;
            _between = ArrayPool<uint>.Shared.Rent(checked((int)Math.Max(count, 2L * former.Length)));
            former.CopyTo(_between, 0);
            ArrayPool<uint>.Shared.Return(former);
        }
    }
}
