using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>All rows of a strip in a vector of 512 bits.</summary>
internal readonly unsafe struct Strip512 : IStripVectors<Vector512<byte>, Vector512<float>>
{
    public static int Rows => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Load(byte* unit) => Vector512.Load(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Lower(Vector512<byte> pairs) => pairs & Vector512.Create((byte)0x0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Upper(Vector512<byte> pairs) => Lower((pairs.AsUInt16() >> 4).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Add(Vector512<byte> sum, Vector512<byte> codes, sbyte* tokens) =>
        (sum.AsInt16() + Avx512BW.MultiplyAddAdjacent(codes, Vector512.Create(*(int*)tokens).AsSByte())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Widen(Vector512<byte> total, Vector512<byte> sum) =>
        (total.AsInt32() + Avx512BW.MultiplyAddAdjacent(sum.AsInt16(), Vector512.Create((short)1))).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Scale(
        Vector512<float> result, Vector512<byte> total, ushort* scales, byte* zeros, float scale, float ones)
    {
        Vector512<float> zero = Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load(zeros)));
        Vector512<float> products = Vector512.ConvertToSingle(total.AsInt32()) * Vector512.Create(scale);
        return Vector512.FusedMultiplyAdd(
            BFloat16Format.Load16((byte*)scales, 0),
            Avx512F.FusedMultiplyAddNegated(zero, Vector512.Create(ones), products), result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> result, float* target) => result.Store(target);
}
