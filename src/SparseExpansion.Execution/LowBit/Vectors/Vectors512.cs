using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Vectors of 512 bits.</summary>
internal readonly unsafe struct Vectors512<TProduct> : ICodeVectors<Vector512<float>>
    where TProduct : IWideProduct
{
    public static int Width => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add<TStep>(
        Vector512<float> sum, byte* codes, sbyte* tokens, float* scale, float* tokenScale)
        where TStep : IStep
    {
        Vector512<int> products = TStep.Units == 2
            ? TProduct.Multiply(Vector512.Load(codes), Vector512.Load(codes + 64), tokens)
            : TProduct.Multiply(Vector512.Load(codes), tokens);
        return Vector512.FusedMultiplyAdd(
            Vector512.ConvertToSingle(products) * Vector512.Create(*scale), Vector512.Create(*tokenScale), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> sum, Vector512<float> excess, Vector512<float> ones) =>
        sum - excess * ones;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One(Vector512<float> sum) => LaneSums.One(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) => LaneSums.Four(a, b, c, d);
}
