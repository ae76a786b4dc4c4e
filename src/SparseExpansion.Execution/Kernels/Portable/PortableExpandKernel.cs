using System.Numerics;

namespace SparseExpansion.Execution.Kernels.Portable;

/// <summary>One token, bit by bit.</summary>
internal static unsafe class PortableExpandKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        nint read = 0;
        ulong* masks = (ulong*)block->Masks;
        for (int slot = 0; slot < block->Rows; slot++)
        {
            float sum = 0;
            for (int column = 0; column < block->Columns; column += 8 * sizeof(ulong), masks++)
            {
                for (ulong mask = *masks; mask != 0; mask &= mask - 1)
                {
                    sum += TFormat.Load(block->Values, read++) * tile[column + BitOperations.TrailingZeroCount(mask)];
                }
            }

            accumulators[block->RowOrder[slot]] += sum;
        }

        return read;
    }
}
