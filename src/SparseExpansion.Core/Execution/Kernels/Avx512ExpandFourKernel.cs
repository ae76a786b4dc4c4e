using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Up to 4 tokens: weights are spread to the lanes of their columns once and multiplied with every token.</summary>
internal static unsafe class Avx512ExpandFourKernel<TExpander>
    where TExpander : struct, IExpander
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 4;

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
            Vector512<float> sum2 = Vector512.Load(sums + 32);
            Vector512<float> sum3 = Vector512.Load(sums + 48);
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, masks += sizeof(uint))
            {
                Prefetch.Ahead(values);
                TExpander.Spread(values, masks, out Vector512<float> first, out Vector512<float> second);
                values += (nint)(uint)BitOperations.PopCount(*(uint*)masks) * TExpander.Size;
                float* token = tokens;
                sum0 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum0);
                sum0 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum0);
                token += columns;
                sum1 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum1);
                sum1 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum1);
                token += columns;
                sum2 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum2);
                sum2 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum2);
                token += columns;
                sum3 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum3);
                sum3 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum3);
            }

            sum0.Store(sums);
            sum1.Store(sums + 16);
            sum2.Store(sums + 32);
            sum3.Store(sums + 48);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }
}
