using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx2;

/// <summary>
/// One token: eight columns at a time, a table of permutations spreads the
/// stored weights to the lanes of their columns.
/// </summary>
internal static unsafe class Avx2ExpandKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        int* table = ExpandTable.Permutations;
        byte* masks = block->Masks;
        byte* values = block->Values;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        nint columns = block->Columns;
        for (int slot = 0; slot < rows; slot++)
        {
            float* sums = accumulators + (nint)order[slot] * Partials;
            Vector256<float> first = Vector256.Load(sums);
            Vector256<float> second = Vector256<float>.Zero;
            for (nint column = 0; column < columns; column += 64, masks += sizeof(ulong))
            {
                ulong ends = MaskBits.Ends(masks);
                float* features = tile + column;
                first = Add(values, table, masks[0], features, first);
                second = Add(At(values, ends), table, masks[1], features + 8, second);
                first = Add(At(values, ends >> 8), table, masks[2], features + 16, first);
                second = Add(At(values, ends >> 16), table, masks[3], features + 24, second);
                first = Add(At(values, ends >> 24), table, masks[4], features + 32, first);
                second = Add(At(values, ends >> 32), table, masks[5], features + 40, second);
                first = Add(At(values, ends >> 40), table, masks[6], features + 48, first);
                second = Add(At(values, ends >> 48), table, masks[7], features + 56, second);
                values = At(values, ends >> 56);
            }

            (first + second).Store(sums);
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* At(byte* values, ulong end) => values + (nint)(byte)end * TFormat.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(
        byte* values, int* table, byte mask, float* features, Vector256<float> sum) =>
        Fma.MultiplyAdd(Spread(values, table + mask * 8), Vector256.Load(features), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Spread(byte* values, int* permutation)
    {
        // Lanes without a weight carry a sign bit in the table, which selects zero.
        Vector256<int> source = Vector256.Load(permutation);
        Vector256<float> spread = System.Runtime.Intrinsics.X86.Avx2.PermuteVar8x32(TFormat.Load8(values, 0), source);
        return Avx.BlendVariable(spread, Vector256<float>.Zero, source.AsSingle());
    }
}
