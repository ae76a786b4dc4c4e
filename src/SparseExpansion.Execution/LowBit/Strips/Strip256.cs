using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Half of the rows of a strip in a vector of 256 bits.</summary>
internal readonly unsafe struct Strip256 : IStripVectors<Vector256<byte>, Vector256<float>>
{
    public static int Rows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* unit) => Vector256.Load(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Lower(Vector256<byte> pairs) => pairs & Vector256.Create((byte)0x0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Upper(Vector256<byte> pairs) => Lower((pairs.AsUInt16() >> 4).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Add(Vector256<byte> sum, Vector256<byte> codes, sbyte* tokens) =>
        (sum.AsInt16() + Avx2.MultiplyAddAdjacent(codes, Vector256.Create(*(int*)tokens).AsSByte())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Widen(Vector256<byte> total, Vector256<byte> sum) =>
        (total.AsInt32() + Avx2.MultiplyAddAdjacent(sum.AsInt16(), Vector256.Create((short)1))).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scale(
        Vector256<float> result, Vector256<byte> total, ushort* scales, byte* zeros, float scale, float ones)
    {
        Vector256<float> zero = Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(zeros));
        Vector256<float> products = Vector256.ConvertToSingle(total.AsInt32()) * Vector256.Create(scale);
        return Vector256.FusedMultiplyAdd(
            BFloat16Format.Load8((byte*)scales, 0),
            Fma.MultiplyAddNegated(zero, Vector256.Create(ones), products), result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> result, float* target) => result.Store(target);
}
