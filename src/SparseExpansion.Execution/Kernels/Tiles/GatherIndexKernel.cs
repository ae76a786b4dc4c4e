using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>
/// One token: four features at a time are collected by their column index and multiplied with four weights. Collecting
/// by single loads beats the gather instruction, and 128-bit arithmetic is never the bottleneck beside it.
/// </summary>
internal static unsafe class GatherIndexKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        byte* values = block->Values;
        byte* indices = block->Indices;
        ushort* counts = block->Counts;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        uint* tailMasks = TailMasks.Pointer;
        for (int slot = 0; slot < rows; slot++)
        {
            nint count = counts[slot];
            Prefetch.Ahead(values, indices);
            float* sums = accumulators + (nint)order[slot] * Partials;
            Vector128<float> first = Vector128.Load(sums);
            Vector128<float> second = Vector128<float>.Zero;
            nint i = 0;
            for (nint end = count - 8; i <= end; i += 8)
            {
                first = Vector128.MultiplyAddEstimate(TFormat.Load4(values, i), Collect(tile, indices + i), first);
                second = Vector128.MultiplyAddEstimate(
                    TFormat.Load4(values, i + 4), Collect(tile, indices + i + 4), second);
            }

            if ((count & 4) != 0)
            {
                second = Vector128.MultiplyAddEstimate(TFormat.Load4(values, i), Collect(tile, indices + i), second);
                i += 4;
            }

            // Up to three weights are left. Both factors are masked: what lies behind
            // them belongs to other rows and may be infinite.
            Vector128<float> mask = Vector128.Load(tailMasks + (count & 3) * 4).AsSingle();
            first = Vector128.MultiplyAddEstimate(
                TFormat.Load4(values, i) & mask, Collect(tile, indices + i) & mask, first);
            (first + second).Store(sums);
            values += count * TFormat.Size;
            indices += count;
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Collect(float* tile, byte* indices) =>
        Vector128.Create(tile[indices[0]], tile[indices[1]], tile[indices[2]], tile[indices[3]]);
}
