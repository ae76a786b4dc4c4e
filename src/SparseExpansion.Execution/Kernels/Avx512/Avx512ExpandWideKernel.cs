using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// More than 4 tokens, as four on the left and the others on the right; two rows are done side by side. See
/// <see cref="Avx512ExpandKernel{TExpander,TLanes}"/>.
/// </summary>
internal static unsafe class Avx512ExpandWideKernel<TExpander, TRight>
    where TExpander : struct, IExpander
    where TRight : struct, ILaneVectors<TRight>
{
    private const int Left = 4;

    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 16;

    private const int RowsAtOnce = 2;
    private const int RightSums = Left * Partials;

    /// <summary>Tokens of a tile.</summary>
    public static int Lanes => Left + TRight.Lanes;

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
            LaneVectors4 left0 = LaneVectors4.Load(sums0, Partials), left1 = LaneVectors4.Load(sums1, Partials);
            TRight right0 = TRight.Load(sums0 + RightSums, Partials), right1 = TRight.Load(sums1 + RightSums, Partials);
            byte* values1 = values + MaskBits.Count(masks, piece) * TExpander.Size;
            byte* mask = masks;
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, mask += sizeof(uint))
            {
                Prefetch.Ahead(values);
                Prefetch.Ahead(values1);
                TExpander.Spread(values, mask, out Vector512<float> first0, out Vector512<float> second0);
                TExpander.Spread(values1, mask + piece, out Vector512<float> first1, out Vector512<float> second1);
                Add(first0, first1, tokens, columns, ref left0, ref left1);
                Add(first0, first1, tokens + Left * columns, columns, ref right0, ref right1);
                Add(second0, second1, tokens + 16, columns, ref left0, ref left1);
                Add(second0, second1, tokens + Left * columns + 16, columns, ref right0, ref right1);
                values += (nint)(uint)BitOperations.PopCount(*(uint*)mask) * TExpander.Size;
                values1 += (nint)(uint)BitOperations.PopCount(*(uint*)(mask + piece)) * TExpander.Size;
            }

            Store(left0, right0, sums0);
            Store(left1, right1, sums1);
            values = values1;
            masks += RowsAtOnce * piece;
        }

        for (; slot < rows; slot++)
        {
            float* sums = Sums(accumulators, order[slot]);
            LaneVectors4 left = LaneVectors4.Load(sums, Partials);
            TRight right = TRight.Load(sums + RightSums, Partials);
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, masks += sizeof(uint))
            {
                TExpander.Spread(values, masks, out Vector512<float> first, out Vector512<float> second);
                left = LaneVectors4.MultiplyAdd(first, LaneVectors4.Load(tokens, columns), left);
                right = TRight.MultiplyAdd(first, TRight.Load(tokens + Left * columns, columns), right);
                left = LaneVectors4.MultiplyAdd(second, LaneVectors4.Load(tokens + 16, columns), left);
                right = TRight.MultiplyAdd(second, TRight.Load(tokens + Left * columns + 16, columns), right);
                values += (nint)(uint)BitOperations.PopCount(*(uint*)masks) * TExpander.Size;
            }

            Store(left, right, sums);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Sums(float* accumulators, byte row) => accumulators + (nint)row * (Lanes * Partials);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TLanes>(
        Vector512<float> weights0, Vector512<float> weights1, float* tokens, nint stride, ref TLanes sums0,
        ref TLanes sums1)
        where TLanes : struct, ILaneVectors<TLanes>
    {
        TLanes lanes = TLanes.Load(tokens, stride);
        sums0 = TLanes.MultiplyAdd(weights0, lanes, sums0);
        sums1 = TLanes.MultiplyAdd(weights1, lanes, sums1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(LaneVectors4 left, TRight right, float* sums)
    {
        LaneVectors4.Store(left, sums, Partials);
        TRight.Store(right, sums + RightSums, Partials);
    }
}
