using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Codes of up to four bits: sums of four products fit 16 bits.</summary>
internal readonly unsafe struct NarrowProduct256 : IHalfProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply(Vector256<byte> lower, Vector256<byte> upper, sbyte* tokens) =>
        Avx2.MultiplyAddAdjacent(
            Avx2.MultiplyAddAdjacent(lower, Vector256.Load(tokens))
                + Avx2.MultiplyAddAdjacent(upper, Vector256.Load(tokens + 32)),
            Vector256.Create((short)1));
}
