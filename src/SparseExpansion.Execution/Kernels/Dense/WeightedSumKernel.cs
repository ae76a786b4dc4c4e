using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Sums of stored rows, each with a factor: what attention makes of its values.</summary>
internal static unsafe class WeightedSumKernel<TFormat, TLanes, TVector>
    where TFormat : struct, IValueFormat
    where TLanes : struct, IDenseLanes<TVector>
    where TVector : struct
{
    /// <summary>sums[i] += Σ factors[j] · rows[j, i] for i &lt; columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* rows, nint stride, int count, int columns, float* factors, float* sums)
    {
        nint column = 0;
        for (; column + 4 * TLanes.Width <= columns; column += 4 * TLanes.Width)
        {
            float* target = sums + column;
            TVector a = TLanes.Load(target), b = TLanes.Load(target + TLanes.Width);
            TVector c = TLanes.Load(target + 2 * TLanes.Width), d = TLanes.Load(target + 3 * TLanes.Width);
            byte* row = rows;
            for (int j = 0; j < count; j++, row += stride)
            {
                TVector factor = TLanes.Broadcast(factors[j]);
                a = TLanes.MultiplyAdd(factor, TLanes.Load<TFormat>(row, column), a);
                b = TLanes.MultiplyAdd(factor, TLanes.Load<TFormat>(row, column + TLanes.Width), b);
                c = TLanes.MultiplyAdd(factor, TLanes.Load<TFormat>(row, column + 2 * TLanes.Width), c);
                d = TLanes.MultiplyAdd(factor, TLanes.Load<TFormat>(row, column + 3 * TLanes.Width), d);
            }

            TLanes.Store(a, target);
            TLanes.Store(b, target + TLanes.Width);
            TLanes.Store(c, target + 2 * TLanes.Width);
            TLanes.Store(d, target + 3 * TLanes.Width);
        }

        for (; column + TLanes.Width <= columns; column += TLanes.Width)
        {
            TVector a = TLanes.Load(sums + column);
            byte* row = rows;
            for (int j = 0; j < count; j++, row += stride)
            {
                a = TLanes.MultiplyAdd(TLanes.Broadcast(factors[j]), TLanes.Load<TFormat>(row, column), a);
            }

            TLanes.Store(a, sums + column);
        }

        for (; column < columns; column++)
        {
            for (int j = 0; j < count; j++)
            {
                sums[column] += factors[j] * TFormat.Load(rows + j * stride, column);
            }
        }
    }
}
