using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>One token: weights are spread to the lanes of their columns.</summary>
internal static unsafe class Avx512ExpandOneKernel<TExpander>
    where TExpander : struct, IExpander
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 1;

    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        byte* masks = block->Masks;
        byte* values = block->Values;
        byte* order = block->RowOrder;
        nint rows = block->Rows;
        nint columns = block->Columns;
        for (nint slot = 0; slot < rows; slot++)
        {
            float* sums = accumulators + (nint)order[slot] * (Lanes * Partials);
            Vector512<float> sum0 = Vector512.Load(sums);
            Vector512<float> sum1 = Vector512<float>.Zero;
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += PackedLayout.MaskColumns, masks += sizeof(ulong))
            {
                Prefetch.Ahead(values);
                ulong mask = *(ulong*)masks;
                byte* upper = values + (nint)(uint)BitOperations.PopCount((uint)mask) * TExpander.Size;
                TExpander.Spread(values, masks, out Vector512<float> first, out Vector512<float> second);
                TExpander.Spread(upper, masks + 4, out Vector512<float> third, out Vector512<float> fourth);
                sum0 = Vector512.FusedMultiplyAdd(first, Vector512.Load(tokens), sum0);
                sum1 = Vector512.FusedMultiplyAdd(second, Vector512.Load(tokens + 16), sum1);
                sum0 = Vector512.FusedMultiplyAdd(third, Vector512.Load(tokens + 32), sum0);
                sum1 = Vector512.FusedMultiplyAdd(fourth, Vector512.Load(tokens + 48), sum1);
                values += (nint)(uint)BitOperations.PopCount(mask) * TExpander.Size;
            }

            (sum0 + sum1).Store(sums);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }
}
