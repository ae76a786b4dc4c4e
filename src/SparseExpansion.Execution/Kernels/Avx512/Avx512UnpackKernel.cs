using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>Spreads the stored values of a panel's block to dense memory; whole groups of 64 columns only.</summary>
internal static unsafe class Avx512UnpackKernel
{
    /// <summary>Writes float32; returns the number of values read.</summary>
    /// <param name="block">The block; its <see cref="PanelBlock.Columns"/> are those that its masks cover.</param>
    /// <param name="target">Target of the block's first column of the panel's first row.</param>
    /// <param name="rowStride">Elements between two rows of the target.</param>
    /// <param name="columns">Columns to write, a multiple of 64.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Float32(PanelBlock* block, float* target, nint rowStride, nint columns)
    {
        float* values = (float*)block->Values;
        byte* masks = block->Masks;
        for (nint slot = 0; slot < block->Rows; slot++, masks += block->Columns / 8)
        {
            byte* mask = masks;
            float* row = target + block->RowOrder[slot] * rowStride;
            for (float* end = row + columns; row < end; row += 32, mask += sizeof(uint))
            {
                Prefetch.Ahead((byte*)values);
                Float32Expander.Spread((byte*)values, mask, out Vector512<float> first, out Vector512<float> second);
                first.Store(row);
                second.Store(row + 16);
                values += (uint)BitOperations.PopCount(*(uint*)mask);
            }
        }

        return (nint)(values - (float*)block->Values);
    }

    /// <summary>Writes bfloat16; see <see cref="Float32"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint BFloat16(PanelBlock* block, ushort* target, nint rowStride, nint columns)
    {
        ushort* values = (ushort*)block->Values;
        byte* masks = block->Masks;
        for (nint slot = 0; slot < block->Rows; slot++, masks += block->Columns / 8)
        {
            byte* mask = masks;
            ushort* row = target + block->RowOrder[slot] * rowStride;
            for (ushort* end = row + columns; row < end; row += 32, mask += sizeof(uint))
            {
                Prefetch.Ahead((byte*)values);
                BFloat16Expander.ThirtyTwo(values, mask).Store(row);
                values += (uint)BitOperations.PopCount(*(uint*)mask);
            }
        }

        return (nint)(values - (ushort*)block->Values);
    }
}
