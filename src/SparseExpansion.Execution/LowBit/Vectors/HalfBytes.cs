using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>A byte a code.</summary>
internal readonly unsafe struct HalfBytes<TProduct> : IHalfCodes
    where TProduct : IHalfProduct
{
    public static nint BytesOf(nint columns) => columns;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply<TStep>(byte* codes, sbyte* tokens)
        where TStep : IStep
    {
        Vector256<int> products = TProduct.Multiply(Vector256.Load(codes), Vector256.Load(codes + 32), tokens);
        return TStep.Units == 2
            ? products + TProduct.Multiply(Vector256.Load(codes + 64), Vector256.Load(codes + 96), tokens + 64)
            : products;
    }
}
