using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Sums of stored rows, each with a factor: what attention makes of its values.</summary>
internal static unsafe class WeightedSumKernel<TFormat, TLanes, TVector>
    where TFormat : struct, IValueFormat
    where TLanes : struct, IDenseLanes<TVector>
    where TVector : struct
{
    private const int SumsAtATime = 4;

    // Few enough that their bytes are read as a stream: a column of all rows would miss the caches in every row.
    private const int RowsAtATime = 8;
    private const int LineBytes = 64;

    /// <summary>sums[s, i] += Σ factors[s, j] · rows[j, i] for i &lt; columns.</summary>
    public static void Run(in WeightedSum sum)
    {
        for (int row = 0; row < sum.Count; row += RowsAtATime)
        {
            WeightedSum part = sum;
            part.Rows += row * sum.RowStride;
            part.Factors += row;
            part.Count = Math.Min(RowsAtATime, sum.Count - row);
            PrefetchNext(part);
            for (int first = 0; first < sum.Sums; first += SumsAtATime)
            {
                AddFour(part, first, Math.Min(SumsAtATime, sum.Sums - first));
            }
        }
    }

    private static void PrefetchNext(in WeightedSum part)
    {
        if (Sse.IsSupported)
        {
            nint bytes = RowsAtATime * part.RowStride;
            for (nint offset = bytes; offset < 2 * bytes; offset += LineBytes)
            {
                Sse.Prefetch0(part.Rows + offset);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFour(in WeightedSum sum, int index, int sums)
    {
        // Sums beyond the last are the last once more, with the same result.
        int last = sums - 1;
        float* target0 = sum.Target + index * sum.TargetStride;
        float* target1 = target0 + Math.Min(1, last) * sum.TargetStride;
        float* target2 = target0 + Math.Min(2, last) * sum.TargetStride;
        float* target3 = target0 + Math.Min(3, last) * sum.TargetStride;
        float* factors0 = sum.Factors + index * sum.FactorStride;
        float* factors1 = factors0 + Math.Min(1, last) * sum.FactorStride;
        float* factors2 = factors0 + Math.Min(2, last) * sum.FactorStride;
        float* factors3 = factors0 + Math.Min(3, last) * sum.FactorStride;
        int count = sum.Count;
        nint column = 0;
        for (; column + 2 * TLanes.Width <= sum.Columns; column += 2 * TLanes.Width)
        {
            nint right = column + TLanes.Width;
            TVector a0 = TLanes.Load(target0 + column), b0 = TLanes.Load(target0 + right);
            TVector a1 = TLanes.Load(target1 + column), b1 = TLanes.Load(target1 + right);
            TVector a2 = TLanes.Load(target2 + column), b2 = TLanes.Load(target2 + right);
            TVector a3 = TLanes.Load(target3 + column), b3 = TLanes.Load(target3 + right);
            byte* row = sum.Rows;
            for (int j = 0; j < count; j++, row += sum.RowStride)
            {
                TVector a = TLanes.Load<TFormat>(row, column), b = TLanes.Load<TFormat>(row, right);
                TVector factor = TLanes.Broadcast(factors0[j]);
                a0 = TLanes.MultiplyAdd(factor, a, a0);
                b0 = TLanes.MultiplyAdd(factor, b, b0);
                factor = TLanes.Broadcast(factors1[j]);
                a1 = TLanes.MultiplyAdd(factor, a, a1);
                b1 = TLanes.MultiplyAdd(factor, b, b1);
                factor = TLanes.Broadcast(factors2[j]);
                a2 = TLanes.MultiplyAdd(factor, a, a2);
                b2 = TLanes.MultiplyAdd(factor, b, b2);
                factor = TLanes.Broadcast(factors3[j]);
                a3 = TLanes.MultiplyAdd(factor, a, a3);
                b3 = TLanes.MultiplyAdd(factor, b, b3);
            }

            TLanes.Store(a0, target0 + column);
            TLanes.Store(b0, target0 + right);
            TLanes.Store(a1, target1 + column);
            TLanes.Store(b1, target1 + right);
            TLanes.Store(a2, target2 + column);
            TLanes.Store(b2, target2 + right);
            TLanes.Store(a3, target3 + column);
            TLanes.Store(b3, target3 + right);
        }

        for (int i = 0; i < sums; i++)
        {
            AddRest(sum, column, sum.Factors + (index + i) * sum.FactorStride, sum.Target + (index + i) * sum.TargetStride);
        }
    }

    /// <summary>The columns that fill no two vectors.</summary>
    private static void AddRest(in WeightedSum sum, nint column, float* factors, float* target)
    {
        for (; column < sum.Columns; column++)
        {
            for (int j = 0; j < sum.Count; j++)
            {
                target[column] += factors[j] * TFormat.Load(sum.Rows + j * sum.RowStride, column);
            }
        }
    }
}
