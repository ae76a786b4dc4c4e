using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// IEEE half precision values, widened with integer instructions: .NET has no intrinsic for it. Every value is exact,
/// subnormal, infinite and NaN ones too.
/// </summary>
internal readonly unsafe struct Float16Format : IValueFormat
{
    private const uint Sign = 0x8000;
    private const uint Magnitude = 0x7FFF;

    // A half's exponent counts from 15, a single's from 127.
    private const uint Rebias = (127 - 15) << 23;
    private const uint SmallestNormal = 0x0400 << 13;
    private const uint Infinity = 0x7C00 << 13;

    // 2^-14, the smallest normal half: what the added exponent bit of a subnormal stands for.
    private const float Smallest = 6.103515625e-05f;

    public static int Size => sizeof(ushort);

    public static float Load(byte* source, nint index) => (float)Unsafe.ReadUnaligned<Half>(source + index * 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source, nint index)
    {
        Vector128<ushort> halves =
            Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source + index * 2)).AsUInt16();
        Vector128<uint> wide = Vector128.WidenLower(halves);
        Vector128<uint> magnitude = (wide & Vector128.Create(Magnitude)) << 13;
        Vector128<uint> moved = magnitude + Vector128.Create(Rebias);
        Vector128<uint> sign = (wide & Vector128.Create(Sign)) << 16;
        if (Vector128.LessThanAll(magnitude - Vector128.Create(SmallestNormal), Vector128.Create(Infinity - SmallestNormal)))
        {
            return (moved | sign).AsSingle(); // As good as all weights: one in hundreds is subnormal.
        }

        Vector128<float> small = (moved + Vector128.Create(1u << 23)).AsSingle() - Vector128.Create(Smallest);
        Vector128<uint> large = moved + Vector128.Create(Rebias);
        Vector128<uint> result = Vector128.ConditionalSelect(
            Vector128.LessThan(magnitude.AsInt32(), Vector128.Create((int)SmallestNormal)).AsUInt32(),
            small.AsUInt32(),
            Vector128.ConditionalSelect(
                Vector128.LessThan(magnitude.AsInt32(), Vector128.Create((int)Infinity)).AsUInt32(), moved, large));
        return (result | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source, nint index)
    {
        Vector128<ushort> halves = Vector128.Load((ushort*)source + index);
        Vector256<uint> wide = System.Runtime.Intrinsics.X86.Avx2.IsSupported
            ? System.Runtime.Intrinsics.X86.Avx2.ConvertToVector256Int32(halves).AsUInt32()
            : Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
        Vector256<uint> magnitude = (wide & Vector256.Create(Magnitude)) << 13;
        Vector256<uint> moved = magnitude + Vector256.Create(Rebias);
        Vector256<uint> sign = (wide & Vector256.Create(Sign)) << 16;
        if (Vector256.LessThanAll(magnitude - Vector256.Create(SmallestNormal), Vector256.Create(Infinity - SmallestNormal)))
        {
            return (moved | sign).AsSingle(); // As good as all weights: one in hundreds is subnormal.
        }

        Vector256<float> small = (moved + Vector256.Create(1u << 23)).AsSingle() - Vector256.Create(Smallest);
        Vector256<uint> large = moved + Vector256.Create(Rebias);
        Vector256<uint> result = Vector256.ConditionalSelect(
            Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)SmallestNormal)).AsUInt32(),
            small.AsUInt32(),
            Vector256.ConditionalSelect(
                Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)Infinity)).AsUInt32(), moved, large));
        return (result | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source, nint index)
    {
        Vector256<ushort> halves = Vector256.Load((ushort*)source + index);
        Vector512<uint> wide = Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Int32(halves).AsUInt32()
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        Vector512<uint> magnitude = (wide & Vector512.Create(Magnitude)) << 13;
        Vector512<uint> moved = magnitude + Vector512.Create(Rebias);
        Vector512<uint> sign = (wide & Vector512.Create(Sign)) << 16;
        if (Vector512.LessThanAll(magnitude - Vector512.Create(SmallestNormal), Vector512.Create(Infinity - SmallestNormal)))
        {
            return (moved | sign).AsSingle(); // As good as all weights: one in hundreds is subnormal.
        }

        Vector512<float> small = (moved + Vector512.Create(1u << 23)).AsSingle() - Vector512.Create(Smallest);
        Vector512<uint> large = moved + Vector512.Create(Rebias);
        Vector512<uint> result = Vector512.ConditionalSelect(
            Vector512.LessThan(magnitude.AsInt32(), Vector512.Create((int)SmallestNormal)).AsUInt32(),
            small.AsUInt32(),
            Vector512.ConditionalSelect(
                Vector512.LessThan(magnitude.AsInt32(), Vector512.Create((int)Infinity)).AsUInt32(), moved, large));
        return (result | sign).AsSingle();
    }
}
