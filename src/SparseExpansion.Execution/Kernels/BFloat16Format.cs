using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>bfloat16 values: the upper half of a single.</summary>
internal readonly unsafe struct BFloat16Format : IWeightFormat
{
    public static ElementType DType => ElementType.BFloat16;

    public static int Size => sizeof(ushort);

    public static ulong NonZeroMask64(byte* source)
    {
        ulong zeros = 0;
        for (int i = 0; i < 64; i += 16)
        {
            // The sign bit is shifted out: −0 counts as zero.
            Vector256<ushort> magnitude = Vector256.Load((ushort*)source + i) << 1;
            ulong equal = Vector256.Equals(magnitude, Vector256<ushort>.Zero).ExtractMostSignificantBits();
            zeros |= equal << i;
        }

        return ~zeros;
    }

    public static bool IsNonZero(byte* source, nint index) => (((ushort*)source)[index] & 0x7FFF) != 0;

    public static void Copy(byte* source, nint from, byte* target, nint to) =>
        ((ushort*)target)[to] = ((ushort*)source)[from];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source, nint index) =>
        BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source, nint index)
    {
        Vector128<ushort> halves = Vector128.CreateScalarUnsafe(*(ulong*)((ushort*)source + index)).AsUInt16();
        return (Vector128.WidenLower(halves) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source, nint index)
    {
        Vector128<ushort> halves = Vector128.Load((ushort*)source + index);
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
        {
            return (System.Runtime.Intrinsics.X86.Avx2.ConvertToVector256Int32(halves) << 16).AsSingle();
        }

        return (Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves)) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source, nint index)
    {
        Vector256<ushort> halves = Vector256.Load((ushort*)source + index);
        if (Avx512F.IsSupported)
        {
            return (Avx512F.ConvertToVector512Int32(halves) << 16).AsSingle();
        }

        return (Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves)) << 16).AsSingle();
    }

    /// <summary>Rounds a single to the nearest bfloat16, ties to even; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    // A 16-bit broadcast fills both halves of every lane; the lower one is cleared. That is
    // two instructions, without a detour through a scalar.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast128(byte* source, nint index) =>
        (Vector128.Create(((ushort*)source)[index]).AsUInt32() & Vector128.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast256(byte* source, nint index) =>
        (Vector256.Create(((ushort*)source)[index]).AsUInt32() & Vector256.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast512(byte* source, nint index) =>
        (Vector512.Create(((ushort*)source)[index]).AsUInt32() & Vector512.Create(0xFFFF0000u)).AsSingle();
}
