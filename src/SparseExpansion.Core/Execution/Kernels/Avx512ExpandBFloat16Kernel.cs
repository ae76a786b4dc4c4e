using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// One token, bfloat16: 32 columns at a time, the stored weights are spread to the lanes of their columns. A bfloat16 is the upper
/// half of a float32, so even columns become float32 by a shift and odd ones by clearing the lower half; hence the tile holds even
/// and odd columns apart.
/// </summary>
internal static unsafe class Avx512ExpandBFloat16Kernel
{
    /// <summary>Partial sums of the output.</summary>
    public const int Partials = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Run(PanelBlock* block, float* tile, float* accumulators)
    {
        // Lane l of 32 tests bit l % 8 of mask byte l / 8; a 128-bit quarter holds eight lanes, so quarter q needs byte q.
        Vector512<ushort> bits = Vector512.Create(Vector256.Create(Vector128.Create(1, 2, 4, 8, 16, 32, 64, (ushort)128)));
        Vector512<byte> quarters = Vector512.Create(
            Vector256.Create(Vector128.Create((byte)0), Vector128.Create((byte)1)),
            Vector256.Create(Vector128.Create((byte)2), Vector128.Create((byte)3)));
        byte* masks = block->Masks;
        ushort* values = (ushort*)block->Values;
        byte* order = block->RowOrder;
        int rows = block->Rows;
        nint columns = block->Columns;
        for (int slot = 0; slot < rows; slot++)
        {
            float* sums = accumulators + (nint)order[slot] * Partials;
            Vector512<float> even = Vector512.Load(sums);
            Vector512<float> odd = Vector512<float>.Zero;
            for (nint column = 0; column < columns; column += PackedLayout.MaskColumns, masks += sizeof(ulong))
            {
                ulong mask = *(ulong*)masks;
                Vector512<ushort> lower = Spread(values, masks, quarters, bits);
                Vector512<ushort> upper = Spread(values + BitOperations.PopCount((uint)mask), masks + 4, quarters, bits);
                even = Vector512.FusedMultiplyAdd(Even(lower), Vector512.Load(tile + column), even);
                odd = Vector512.FusedMultiplyAdd(Odd(lower), Vector512.Load(tile + column + 16), odd);
                even = Vector512.FusedMultiplyAdd(Even(upper), Vector512.Load(tile + column + 32), even);
                odd = Vector512.FusedMultiplyAdd(Odd(upper), Vector512.Load(tile + column + 48), odd);
                values += BitOperations.PopCount(mask);
            }

            (even + odd).Store(sums);
        }

        return (nint)(values - (ushort*)block->Values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Spread(ushort* values, byte* mask, Vector512<byte> quarters, Vector512<ushort> bits)
    {
        Vector512<ushort> spreadMask = Avx512BW.Shuffle(Vector512.Create(*(uint*)mask).AsByte(), quarters).AsUInt16();
        Vector512<ushort> kept = ~Vector512.Equals(spreadMask & bits, Vector512<ushort>.Zero);
        return Avx512Vbmi2.Expand(Vector512<ushort>.Zero, kept, Vector512.Load(values));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Even(Vector512<ushort> pairs) => (pairs.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Odd(Vector512<ushort> pairs) => (pairs.AsUInt32() & Vector512.Create(0xFFFF0000u)).AsSingle();
}
