using System.Numerics;
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
            for (nint column = 0; column < columns; column += 16, masks += 2)
            {
                byte* upper = values + BitOperations.PopCount(masks[0]) * TFormat.Size;
                first = Fma.MultiplyAdd(Spread(values, table + masks[0] * 8), Vector256.Load(tile + column), first);
                second = Fma.MultiplyAdd(
                    Spread(upper, table + masks[1] * 8), Vector256.Load(tile + column + 8), second);
                values = upper + BitOperations.PopCount(masks[1]) * TFormat.Size;
            }

            (first + second).Store(sums);
        }

        return (nint)(values - block->Values) / TFormat.Size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Spread(byte* values, int* permutation)
    {
        // Lanes without a weight carry a sign bit in the table, which selects zero.
        Vector256<int> source = Vector256.Load(permutation);
        Vector256<float> spread = System.Runtime.Intrinsics.X86.Avx2.PermuteVar8x32(TFormat.Load8(values, 0), source);
        return Avx.BlendVariable(spread, Vector256<float>.Zero, source.AsSingle());
    }
}
