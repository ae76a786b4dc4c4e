using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// Up to 4 tokens: weights are spread to the lanes of their columns and multiplied with every token. Four rows are done
/// side by side, so that a token's features are loaded once for four rows: loads are the bottleneck.
/// </summary>
internal static unsafe class Avx512ExpandKernel<TExpander, TLanes>
    where TExpander : struct, IExpander
    where TLanes : struct, ILaneVectors<TLanes>
{
    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 16;

    private const int RowsAtOnce = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        byte* masks = block->Masks;
        byte* values = block->Values;
        byte* order = block->RowOrder;
        nint rows = block->Rows;
        nint columns = block->Columns;
        nint piece = columns / 8;
        nint slot = 0;
        for (; slot <= rows - RowsAtOnce; slot += RowsAtOnce)
        {
            float* sums0 = Sums(accumulators, order[slot]), sums1 = Sums(accumulators, order[slot + 1]);
            float* sums2 = Sums(accumulators, order[slot + 2]), sums3 = Sums(accumulators, order[slot + 3]);
            TLanes row0 = TLanes.Load(sums0, Partials), row1 = TLanes.Load(sums1, Partials);
            TLanes row2 = TLanes.Load(sums2, Partials), row3 = TLanes.Load(sums3, Partials);
            byte* values1 = values + MaskBits.Count(masks, piece) * TExpander.Size;
            byte* values2 = values1 + MaskBits.Count(masks + piece, piece) * TExpander.Size;
            byte* values3 = values2 + MaskBits.Count(masks + 2 * piece, piece) * TExpander.Size;
            byte* values4 = values3 + MaskBits.Count(masks + 3 * piece, piece) * TExpander.Size;
            nint share = (nint)((nuint)(values4 - values) / (nuint)piece * sizeof(uint));
            byte* ahead = values;
            byte* mask = masks;
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, mask += sizeof(uint))
            {
                Prefetch.Four(ahead);
                ahead += share;
                TLanes lower = TLanes.Load(tokens, columns), upper = TLanes.Load(tokens + 16, columns);
                values = Add(values, mask, lower, upper, row0, out row0);
                values1 = Add(values1, mask + piece, lower, upper, row1, out row1);
                values2 = Add(values2, mask + 2 * piece, lower, upper, row2, out row2);
                values3 = Add(values3, mask + 3 * piece, lower, upper, row3, out row3);
            }

            TLanes.Store(row0, sums0, Partials);
            TLanes.Store(row1, sums1, Partials);
            TLanes.Store(row2, sums2, Partials);
            TLanes.Store(row3, sums3, Partials);
            values = values3;
            masks += RowsAtOnce * piece;
        }

        for (; slot < rows; slot++)
        {
            float* sums = Sums(accumulators, order[slot]);
            TLanes row = TLanes.Load(sums, Partials);
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, masks += sizeof(uint))
            {
                values = Add(
                    values, masks, TLanes.Load(tokens, columns), TLanes.Load(tokens + 16, columns), row, out row);
            }

            TLanes.Store(row, sums, Partials);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Sums(float* accumulators, byte row) => accumulators + (nint)row * (TLanes.Lanes * Partials);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Add(byte* values, byte* mask, TLanes lower, TLanes upper, TLanes sums, out TLanes next)
    {
        TExpander.Spread(values, mask, out Vector512<float> first, out Vector512<float> second);
        next = TLanes.MultiplyAdd(second, upper, TLanes.MultiplyAdd(first, lower, sums));
        return values + (nint)(uint)BitOperations.PopCount(*(uint*)mask) * TExpander.Size;
    }
}
