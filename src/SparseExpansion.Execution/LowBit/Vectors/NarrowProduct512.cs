using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Codes of up to four bits: sums of four products fit 16 bits.</summary>
internal readonly unsafe struct NarrowProduct512 : IWideProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply(Vector512<byte> codes, sbyte* tokens) =>
        Avx512BW.MultiplyAddAdjacent(
            Avx512BW.MultiplyAddAdjacent(codes, Vector512.Load(tokens)), Vector512.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply(Vector512<byte> lower, Vector512<byte> upper, sbyte* tokens) =>
        Avx512BW.MultiplyAddAdjacent(
            Avx512BW.MultiplyAddAdjacent(lower, Vector512.Load(tokens))
                + Avx512BW.MultiplyAddAdjacent(upper, Vector512.Load(tokens + 64)),
            Vector512.Create((short)1));
}
