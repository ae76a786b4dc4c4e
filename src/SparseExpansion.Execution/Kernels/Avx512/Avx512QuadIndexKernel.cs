using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>Up to four tokens: one 512-bit multiply-add does four weights, each with its four tokens.</summary>
internal static unsafe class Avx512QuadIndexKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Tokens of a tile.</summary>
    public const int Lanes = 4;

    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        Vector512<int> spread = Vector512.Create(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
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
            for (nint end = count - 8; i <= end; i += 8)
            {
                first = Vector512.FusedMultiplyAdd(Spread(values, i, spread), Collect(tile, indices + i), first);
                second = Vector512.FusedMultiplyAdd(
                    Spread(values, i + 4, spread), Collect(tile, indices + i + 4), second);
            }

            if ((count & 4) != 0)
            {
                second = Vector512.FusedMultiplyAdd(Spread(values, i, spread), Collect(tile, indices + i), second);
                i += 4;
            }

            first += second;
            first.Store(sums);
            if ((count & 3) != 0)
            {
                Vector128<float> tail = Vector128.Load(sums);
                for (; i < count; i++)
                {
                    tail = Vector128.FusedMultiplyAdd(
                        TFormat.Broadcast128(values, i), Vector128.Load(tile + (nint)indices[i] * Lanes), tail);
                }

                tail.Store(sums);
            }

            values += count * TFormat.Size;
            indices += count;
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread(byte* values, nint index, Vector512<int> spread) =>
        Avx512F.PermuteVar16x32(TFormat.Load4(values, index).ToVector256Unsafe().ToVector512Unsafe(), spread);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Collect(float* tile, byte* indices)
    {
        // Inserts into a defined vector: Vector512.Create would make every call wait for the one before.
        Vector256<float> lower = Avx.InsertVector128(
            Vector128.Load(Tokens(tile, indices[0])).ToVector256Unsafe(), Vector128.Load(Tokens(tile, indices[1])), 1);
        Vector256<float> upper = Avx.InsertVector128(
            Vector128.Load(Tokens(tile, indices[2])).ToVector256Unsafe(), Vector128.Load(Tokens(tile, indices[3])), 1);
        return Avx512DQ.InsertVector256(lower.ToVector512Unsafe(), upper, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Tokens(float* tile, byte column) =>
        (float*)((byte*)tile + (nint)column * (Lanes * sizeof(float)));
}
