using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>
/// Outer products: for every stored weight one broadcast, and one multiply-add per vector of tokens. Four weights at a
/// time go to as many separate sums as hide the latency of the multiply-add.
/// </summary>
internal static unsafe class TileIndexKernel<TFormat, TTile>
    where TFormat : struct, IWeightFormat
    where TTile : struct, ITile<TTile>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        byte* values = block->Values;
        byte* indices = block->Indices;
        ushort* counts = block->Counts;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        for (int slot = 0; slot < rows; slot++)
        {
            nint count = counts[slot];
            float* sums = accumulators + (nint)order[slot] * TTile.Lanes;
            TTile first = TTile.Load(sums);
            if (count >= 4)
            {
                TTile second = default;
                nint end = count & ~3;
                nint i = 0;
                do
                {
                    first = TTile.MultiplyAdd<TFormat>(values, i, tile + (nint)indices[i] * TTile.Lanes, first);
                    second = TTile.MultiplyAdd<TFormat>(
                        values, i + 1, tile + (nint)indices[i + 1] * TTile.Lanes, second);
                    first = TTile.MultiplyAdd<TFormat>(values, i + 2, tile + (nint)indices[i + 2] * TTile.Lanes, first);
                    second = TTile.MultiplyAdd<TFormat>(
                        values, i + 3, tile + (nint)indices[i + 3] * TTile.Lanes, second);
                    i += 4;
                }
                while (i < end);
                first = TTile.Add(first, second);
            }

            for (nint i = count & ~3; i < count; i++)
            {
                first = TTile.MultiplyAdd<TFormat>(values, i, tile + (nint)indices[i] * TTile.Lanes, first);
            }

            TTile.Store(first, sums);
            values += count * TFormat.Size;
            indices += count;
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }
}
