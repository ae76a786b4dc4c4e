using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// bfloat16: the sixteen even columns, then the odd ones. A bfloat16 is the upper half of a float32, so even columns
/// become float32 by a shift and odd ones by clearing the lower half.
/// </summary>
internal readonly unsafe struct BFloat16Expander : IExpander
{
    public static int Size => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Spread(byte* values, byte* mask, out Vector512<float> first, out Vector512<float> second)
    {
        Vector512<uint> pairs = ThirtyTwo((ushort*)values, mask).AsUInt32();
        first = (pairs << 16).AsSingle();
        second = (pairs & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    /// <summary>The 32 columns as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> ThirtyTwo(ushort* values, byte* mask)
    {
        // Lane l of 32 tests bit l % 8 of mask byte l / 8; a 128-bit quarter holds eight lanes, so quarter q needs byte
        // q. Whole constants: the compiler would put together nested ones in every turn of a loop.
        Vector512<ushort> bits = Vector512.Create(
            (ushort)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8,
            16, 32, 64, 128);
        Vector512<byte> quarters = Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
        Vector512<ushort> spread = Avx512BW.Shuffle(Vector512.Create(*(uint*)mask).AsByte(), quarters).AsUInt16();
        Vector512<ushort> kept = ~Vector512.Equals(spread & bits, Vector512<ushort>.Zero);
        return Avx512Vbmi2.Expand(Vector512<ushort>.Zero, kept, Vector512.Load(values));
    }
}
