using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>IEEE single precision values.</summary>
internal readonly unsafe struct Float32Format : IWeightFormat
{
    public static ElementType DType => ElementType.Float32;

    public static int Size => sizeof(float);

    public static ulong NonZeroMask64(byte* source)
    {
        ulong zeros = 0;
        for (int i = 0; i < 64; i += 8)
        {
            ulong equal = Vector256.Equals(Vector256.Load((float*)source + i), Vector256<float>.Zero)
                .ExtractMostSignificantBits();
            zeros |= equal << i;
        }

        return ~zeros;
    }

    public static bool IsNonZero(byte* source, nint index) => ((float*)source)[index] != 0f;

    public static void Copy(byte* source, nint from, byte* target, nint to) =>
        ((uint*)target)[to] = ((uint*)source)[from];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source, nint index) => ((float*)source)[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source, nint index) => Vector128.Load((float*)source + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source, nint index) => Vector256.Load((float*)source + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source, nint index) => Vector512.Load((float*)source + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast128(byte* source, nint index) => Vector128.Create(((float*)source)[index]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast256(byte* source, nint index) => Vector256.Create(((float*)source)[index]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast512(byte* source, nint index) => Vector512.Create(((float*)source)[index]);
}
