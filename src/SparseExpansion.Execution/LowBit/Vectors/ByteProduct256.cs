using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Codes of eight bits: products need 17 bits, so both sides are widened first.</summary>
internal readonly unsafe struct ByteProduct256 : IHalfProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply(Vector256<byte> lower, Vector256<byte> upper, sbyte* tokens) =>
        Half(lower.GetLower(), tokens) + Half(lower.GetUpper(), tokens + 16)
            + (Half(upper.GetLower(), tokens + 32) + Half(upper.GetUpper(), tokens + 48));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Half(Vector128<byte> codes, sbyte* tokens) =>
        Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(codes), Avx2.ConvertToVector256Int16(tokens));
}
