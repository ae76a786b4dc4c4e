using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Vectors of 256 bits.</summary>
internal readonly unsafe struct Vectors256<TProduct> : ICodeVectors<Vector256<float>>
    where TProduct : IHalfProduct
{
    public static int Width => Vector256<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add<TStep>(
        Vector256<float> sum, byte* codes, sbyte* tokens, float* scale, float* tokenScale)
        where TStep : IStep
    {
        Vector256<int> products = TProduct.Multiply(Vector256.Load(codes), Vector256.Load(codes + 32), tokens);
        if (TStep.Units == 2)
        {
            products += TProduct.Multiply(Vector256.Load(codes + 64), Vector256.Load(codes + 96), tokens + 64);
        }

        return Vector256.FusedMultiplyAdd(
            Vector256.ConvertToSingle(products) * Vector256.Create(*scale), Vector256.Create(*tokenScale), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> sum, Vector256<float> excess, Vector256<float> ones) =>
        sum - excess * ones;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One(Vector256<float> sum) => LaneSums.One(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d) => LaneSums.Four(a, b, c, d);
}
