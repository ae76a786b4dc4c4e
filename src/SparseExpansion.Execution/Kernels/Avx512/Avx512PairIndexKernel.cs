using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>Up to eight tokens: one 512-bit multiply-add does two weights, each with its eight tokens.</summary>
internal static unsafe class Avx512PairIndexKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 8;

    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        Vector512<int> lower = Vector512.Create(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
        Vector512<int> upper = Vector512.Create(2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
        byte* values = block->Values;
        byte* indices = block->Indices;
        ushort* counts = block->Counts;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        for (int slot = 0; slot < rows; slot++)
        {
            nint count = counts[slot];
            Prefetch.Ahead(values, indices);
            float* sums = accumulators + (nint)order[slot] * (Lanes * Partials);
            Vector512<float> first = Vector512.Load(sums);
            Vector512<float> second = Vector512<float>.Zero;
            nint i = 0;
            for (nint end = count - 4; i <= end; i += 4)
            {
                Vector512<float> four = TFormat.Load4(values, i).ToVector256Unsafe().ToVector512Unsafe();
                first = Vector512.FusedMultiplyAdd(
                    Avx512F.PermuteVar16x32(four, lower), Collect(tile, indices + i), first);
                second = Vector512.FusedMultiplyAdd(
                    Avx512F.PermuteVar16x32(four, upper), Collect(tile, indices + i + 2), second);
            }

            first += second;
            first.Store(sums);
            if ((count & 3) != 0)
            {
                Vector256<float> tail = Vector256.Load(sums);
                for (; i < count; i++)
                {
                    tail = Vector256.FusedMultiplyAdd(
                        TFormat.Broadcast256(values, i), Vector256.Load(tile + (nint)indices[i] * Lanes), tail);
                }

                tail.Store(sums);
            }

            values += count * TFormat.Size;
            indices += count;
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Collect(float* tile, byte* indices) =>
        Avx512DQ.InsertVector256(
            Vector256.Load(Tokens(tile, indices[0])).ToVector512Unsafe(), Vector256.Load(Tokens(tile, indices[1])), 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Tokens(float* tile, byte column) =>
        (float*)((byte*)tile + (nint)column * (Lanes * sizeof(float)));
}
