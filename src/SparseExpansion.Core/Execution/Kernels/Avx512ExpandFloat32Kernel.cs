using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>One token, float32: sixteen columns at a time, the stored weights are spread to the lanes of their columns.</summary>
internal static unsafe class Avx512ExpandFloat32Kernel
{
    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        Vector512<int> bits = Avx512F.ShiftLeftLogicalVariable(Vector512.Create(1), Vector512<uint>.Indices);
        byte* masks = block->Masks;
        float* values = (float*)block->Values;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        nint columns = block->Columns;
        for (int slot = 0; slot < rows; slot++)
        {
            float* sums = accumulators + (nint)order[slot] * Partials;
            Vector512<float> first = Vector512.Load(sums);
            Vector512<float> second = Vector512<float>.Zero;
            for (nint column = 0; column < columns; column += PackedLayout.MaskColumns, masks += sizeof(ulong))
            {
                ulong mask = *(ulong*)masks;
                float* next1 = values + BitOperations.PopCount(mask & 0xFFFF);
                float* next2 = values + BitOperations.PopCount((uint)mask);
                float* next3 = values + BitOperations.PopCount(mask & 0xFFFF_FFFF_FFFF);
                first = Vector512.FusedMultiplyAdd(Spread(values, masks, bits), Vector512.Load(tile + column), first);
                second = Vector512.FusedMultiplyAdd(Spread(next1, masks + 2, bits), Vector512.Load(tile + column + 16), second);
                first = Vector512.FusedMultiplyAdd(Spread(next2, masks + 4, bits), Vector512.Load(tile + column + 32), first);
                second = Vector512.FusedMultiplyAdd(Spread(next3, masks + 6, bits), Vector512.Load(tile + column + 48), second);
                values += BitOperations.PopCount(mask);
            }

            (first + second).Store(sums);
        }

        return (nint)(values - (float*)block->Values);
    }

    // The comparison becomes one test of a broadcast mask against the lanes' bits. Only 16 of the 32 bits count. The mask of the
    // last columns is read together with the bytes behind it, which the padding of every mask array allows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread(float* values, byte* mask, Vector512<int> bits)
    {
        Vector512<int> kept = ~Vector512.Equals(Vector512.Create(*(int*)mask) & bits, Vector512<int>.Zero);
        return Avx512F.Expand(Vector512<float>.Zero, kept.AsSingle(), Vector512.Load(values));
    }
}
