using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.Kernels.Tiles;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// Outer products for 16 and more tokens. Four weights come with one load and are spread by permutations: loads of
/// 512-bit operands are the bottleneck, and a broadcast from memory would be one more for each weight.
/// </summary>
internal static unsafe class Avx512TileIndexKernel<TFormat, TTile>
    where TFormat : struct, IWeightFormat
    where TTile : struct, IWideTile<TTile>
{
    // One or two vectors need four separate sums to hide the latency of the
    // multiply-add (4 cycles); four vectors hide it with two.
    private const int FourSumsLanes = 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        Vector512<int> lane0 = Vector512<int>.Zero, lane1 = Vector512.Create(1), lane2 = Vector512.Create(2),
            lane3 = Vector512.Create(3);
        byte* values = block->Values;
        byte* indices = block->Indices;
        ushort* counts = block->Counts;
        byte* order = block->RowOrder;
        nint rows = block->Rows;
        for (nint slot = 0; slot < rows; slot++)
        {
            nint count = counts[slot];
            Prefetch.Four(values);
            Prefetch.Ahead(values, indices);
            float* sums = accumulators + (nint)order[slot] * TTile.Lanes;
            TTile first = TTile.Load(sums);
            nint i = 0;
            if (count >= 4)
            {
                TTile second = default, third = default, fourth = default;
                nint end = count - 4;
                do
                {
                    Vector512<float> four = TFormat.Load4(values, i).ToVector256Unsafe().ToVector512Unsafe();
                    first = TTile.MultiplyAdd(Avx512F.PermuteVar16x32(four, lane0), Tokens(tile, indices[i]), first);
                    second = TTile.MultiplyAdd(
                        Avx512F.PermuteVar16x32(four, lane1), Tokens(tile, indices[i + 1]), second);
                    if (TTile.Lanes <= FourSumsLanes)
                    {
                        third = TTile.MultiplyAdd(
                            Avx512F.PermuteVar16x32(four, lane2), Tokens(tile, indices[i + 2]), third);
                        fourth = TTile.MultiplyAdd(
                            Avx512F.PermuteVar16x32(four, lane3), Tokens(tile, indices[i + 3]), fourth);
                    }
                    else
                    {
                        first = TTile.MultiplyAdd(
                            Avx512F.PermuteVar16x32(four, lane2), Tokens(tile, indices[i + 2]), first);
                        second = TTile.MultiplyAdd(
                            Avx512F.PermuteVar16x32(four, lane3), Tokens(tile, indices[i + 3]), second);
                    }

                    i += 4;
                }
                while (i <= end);
                first = TTile.Add(first, second);
                if (TTile.Lanes <= FourSumsLanes)
                {
                    first = TTile.Add(first, TTile.Add(third, fourth));
                }
            }

            for (; i < count; i++)
            {
                first = TTile.MultiplyAdd(TFormat.Broadcast512(values, i), Tokens(tile, indices[i]), first);
            }

            TTile.Store(first, sums);
            values += count * TFormat.Size;
            indices += count;
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Tokens(float* tile, byte column) =>
        (float*)((byte*)tile + (nint)column * (TTile.Lanes * sizeof(float)));
}
