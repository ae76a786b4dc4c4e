using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Up to 8 tokens: weights are spread to the lanes of their columns once and multiplied with every token.</summary>
internal static unsafe class Avx512ExpandEightKernel<TExpander>
    where TExpander : struct, IExpander
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 8;

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
            Vector512<float> sum4 = Vector512.Load(sums + 64);
            Vector512<float> sum5 = Vector512.Load(sums + 80);
            Vector512<float> sum6 = Vector512.Load(sums + 96);
            Vector512<float> sum7 = Vector512.Load(sums + 112);
            for (float* tokens = tile, end = tile + columns; tokens < end; tokens += 32, masks += sizeof(uint))
            {
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
                token += columns;
                sum4 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum4);
                sum4 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum4);
                token += columns;
                sum5 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum5);
                sum5 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum5);
                token += columns;
                sum6 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum6);
                sum6 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum6);
                token += columns;
                sum7 = Vector512.FusedMultiplyAdd(first, Vector512.Load(token), sum7);
                sum7 = Vector512.FusedMultiplyAdd(second, Vector512.Load(token + 16), sum7);
            }

            sum0.Store(sums);
            sum1.Store(sums + 16);
            sum2.Store(sums + 32);
            sum3.Store(sums + 48);
            sum4.Store(sums + 64);
            sum5.Store(sums + 80);
            sum6.Store(sums + 96);
            sum7.Store(sums + 112);
        }

        return (nint)(values - block->Values) / TExpander.Size;
    }
}
