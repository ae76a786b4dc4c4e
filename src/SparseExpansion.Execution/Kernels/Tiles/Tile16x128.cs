using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>16 tokens in 4 vectors of 128 bits.</summary>
internal readonly unsafe struct Tile16x128 : ITile<Tile16x128>
{
    private readonly Vector128<float> _a;
    private readonly Vector128<float> _b;
    private readonly Vector128<float> _c;
    private readonly Vector128<float> _d;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile16x128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x128 Load(float* source) =>
        new(
            Vector128.Load(source), Vector128.Load(source + 4), Vector128.Load(source + 8),
            Vector128.Load(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x128 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile16x128 sum)
        where TFormat : IWeightFormat
    {
        Vector128<float> weight = TFormat.Broadcast128(values, index);
        return new(
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens), sum._a),
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens + 4), sum._b),
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens + 8), sum._c),
            Vector128.MultiplyAddEstimate(weight, Vector128.Load(tokens + 12), sum._d));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x128 Add(Tile16x128 left, Tile16x128 right) =>
        new(left._a + right._a, left._b + right._b, left._c + right._c, left._d + right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile16x128 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 4);
        sum._c.Store(target + 8);
        sum._d.Store(target + 12);
    }
}
