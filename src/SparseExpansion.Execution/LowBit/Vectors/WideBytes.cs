using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>A byte a code.</summary>
internal readonly unsafe struct WideBytes<TProduct> : IWideCodes
    where TProduct : IWideProduct
{
    public static nint BytesOf(nint columns) => columns;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply<TStep>(byte* codes, sbyte* tokens)
        where TStep : IStep => TStep.Units == 2
        ? TProduct.Multiply(Vector512.Load(codes), Vector512.Load(codes + 64), tokens)
        : TProduct.Multiply(Vector512.Load(codes), tokens);
}
