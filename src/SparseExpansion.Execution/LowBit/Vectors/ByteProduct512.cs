using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Codes of eight bits: products need 17 bits, so both sides are widened first.</summary>
internal readonly unsafe struct ByteProduct512 : IWideProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply(Vector512<byte> codes, sbyte* tokens) =>
        Avx512BW.MultiplyAddAdjacent(
            Avx512BW.ConvertToVector512Int16(codes.GetLower()),
            Avx512BW.ConvertToVector512Int16(Vector256.Load(tokens)))
        + Avx512BW.MultiplyAddAdjacent(
            Avx512BW.ConvertToVector512Int16(codes.GetUpper()),
            Avx512BW.ConvertToVector512Int16(Vector256.Load(tokens + 32)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply(Vector512<byte> lower, Vector512<byte> upper, sbyte* tokens) =>
        Multiply(lower, tokens) + Multiply(upper, tokens + 64);
}
