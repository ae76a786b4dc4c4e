using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Pruning.Selection;

/// <summary>
/// Finds the magnitude of a given rank among floats, given as their bits, by counting bits from the top. Candidates lie
/// in memory of the pool. Not for concurrent use.
/// </summary>
internal sealed unsafe class RankSearch : IDisposable
{
    /// <summary>All bits of a float but its sign. What is left orders as magnitudes do.</summary>
    public const uint Magnitude = 0x7FFF_FFFF;

    private const int LeadingShift = 20, PartBits = 10;
    private const int LeadingBuckets = 1 << (31 - LeadingShift), PartBuckets = 1 << PartBits;

    /// <summary>
    /// Neighbors mostly fall into the same few buckets: four counters each keep one increment from waiting for the
    /// last.
    /// </summary>
    private const int Copies = 4;

    private readonly int[] _counters = new int[LeadingBuckets * Copies];
    private uint[] _candidates = [];
    private int _candidateCount;

    /// <summary>The <paramref name="rank"/>-th smallest (from 1) of n magnitudes.</summary>
    public Limit Find(uint* bits, long n, long rank)
    {
        CountLeading(bits, n);
        uint leading = FindBucket(LeadingBuckets, ref rank);
        CollectCandidates(bits, n, leading);
        uint upper = (leading << PartBits) | FindPart(PartBits, ref rank);
        KeepCandidates(upper);
        uint last = FindPart(0, ref rank);
        return new Limit((upper << PartBits) | last, _counters[last] - rank);
    }

    /// <summary>Gives the memory back to the pool.</summary>
    public void Dispose()
    {
        ArrayPool<uint>.Shared.Return(_candidates);
        _candidates = [];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CountLeading(uint* bits, long n)
    {
        Array.Clear(_counters);
        fixed (int* counters = _counters)
        {
            long i = 0;
            for (; i + Copies <= n; i += Copies)
            {
                counters[(bits[i] & Magnitude) >> LeadingShift]++;
                counters[LeadingBuckets + ((bits[i + 1] & Magnitude) >> LeadingShift)]++;
                counters[(2 * LeadingBuckets) + ((bits[i + 2] & Magnitude) >> LeadingShift)]++;
                counters[(3 * LeadingBuckets) + ((bits[i + 3] & Magnitude) >> LeadingShift)]++;
            }

            for (; i < n; i++)
            {
                counters[(bits[i] & Magnitude) >> LeadingShift]++;
            }

            for (int bucket = 0; bucket < LeadingBuckets; bucket += Vector512<int>.Count)
            {
                Vector512<int> sum = Vector512.Load(counters + bucket) + Vector512.Load(
                    counters + LeadingBuckets + bucket)
                    + Vector512.Load(
                        counters + (2 * LeadingBuckets) + bucket) + Vector512.Load(
                            counters + (3 * LeadingBuckets) + bucket);
                sum.Store(counters + bucket);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CollectCandidates(uint* bits, long n, uint leading)
    {
        int found = _counters[leading];
        if (_candidates.Length < found)
        {
            uint[] former = _candidates;
            _candidates = ArrayPool<uint>.Shared.Rent(found);
            ArrayPool<uint>.Shared.Return(former);
        }

        _candidateCount = 0;
        Vector512<uint> wanted = Vector512.Create(leading), magnitude = Vector512.Create(Magnitude);
        long i = 0;
        for (; i + Vector512<uint>.Count <= n; i += Vector512<uint>.Count)
        {
            Vector512<uint> hits = Vector512.Equals((Vector512.Load(bits + i) & magnitude) >> LeadingShift, wanted);
            for (ulong left = hits.ExtractMostSignificantBits(); left != 0; left &= left - 1)
            {
                _candidates[_candidateCount++] = bits[i + BitOperations.TrailingZeroCount(left)] & Magnitude;
            }
        }

        for (; i < n; i++)
        {
            uint magnitudeBits = bits[i] & Magnitude;
            if (magnitudeBits >> LeadingShift == leading)
            {
                _candidates[_candidateCount++] = magnitudeBits;
            }
        }
    }

    private void KeepCandidates(uint upper)
    {
        int kept = 0;
        foreach (uint candidate in _candidates.AsSpan(0, _candidateCount))
        {
            if (candidate >> PartBits == upper)
            {
                _candidates[kept++] = candidate;
            }
        }

        _candidateCount = kept;
    }

    private uint FindPart(int shift, ref long rank)
    {
        Array.Clear(_counters, 0, PartBuckets);
        foreach (uint candidate in _candidates.AsSpan(0, _candidateCount))
        {
            _counters[(candidate >> shift) & (PartBuckets - 1)]++;
        }

        return FindBucket(PartBuckets, ref rank);
    }

    private uint FindBucket(int buckets, ref long rank)
    {
        ReadOnlySpan<int> counters = _counters.AsSpan(0, buckets);
        int bucket = 0;
        while (rank > counters[bucket])
        {
            rank -= counters[bucket++];
        }

        return (uint)bucket;
    }

    /// <param name="Value">Numbers up to it go.</param>
    /// <param name="Staying">Number of those equal to it that stay.</param>
    internal readonly record struct Limit(uint Value, long Staying);
}
