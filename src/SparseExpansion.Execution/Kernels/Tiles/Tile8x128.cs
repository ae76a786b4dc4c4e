using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>8 tokens in 2 vectors of 128 bits.</summary>
internal readonly unsafe struct Tile8x128 : ITile<Tile8x128>
{
    private readonly Vector128<float> _a;
    private readonly Vector128<float> _b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile8x128(Vector128<float> a, Vector128<float> b)
    {
        _a = a;
        _b = b;
    }

    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x128 Load(float* source) =>
        new(Vector128.Load(source), Vector128.Load(source + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x128 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile8x128 sum)
        where TFormat : IWeightFormat
    {
        Vector128<float> weight = TFormat.Broadcast128(values, index);
        return new(
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens), sum._a),
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens + 4), sum._b));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x128 Add(Tile8x128 left, Tile8x128 right) =>
        new(left._a + right._a, left._b + right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile8x128 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 4);
    }
}
