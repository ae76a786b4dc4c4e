using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Up to 2 tokens: weights are spread to the lanes of their columns once and multiplied with every token.</summary>
internal static unsafe class Avx512ExpandTwoKernel<TExpander>
    where TExpander : struct, IExpander
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 2;

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
            Vector512<float> sum1 = Vector512.Load(sums + 16);
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, masks += sizeof(uint))
            {
                Prefetch.Ahead(values);
                TExpander.Spread(values, masks, out Vector512<float> first, out Vector512<float> second);
                values += (nint)(uint)BitOperations.PopCount(*(uint*)masks) * TExpander.Size;
                sum0 = Vector512.FusedMultiplyAdd(first, Vector512.Load(tokens), sum0);
                sum0 = Vector512.FusedMultiplyAdd(second, Vector512.Load(tokens + 16), sum0);
                sum1 = Vector512.FusedMultiplyAdd(first, Vector512.Load(tokens + columns), sum1);
                sum1 = Vector512.FusedMultiplyAdd(second, Vector512.Load(tokens + columns + 16), sum1);
            }

            sum0.Store(sums);
            sum1.Store(sums + 16);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }
}
