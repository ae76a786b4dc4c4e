using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>32 tokens in 4 vectors of 256 bits.</summary>
internal readonly unsafe struct Tile32x256 : ITile<Tile32x256>
{
    private readonly Vector256<float> _a;
    private readonly Vector256<float> _b;
    private readonly Vector256<float> _c;
    private readonly Vector256<float> _d;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile32x256(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static int Lanes => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x256 Load(float* source) =>
        new(
            Vector256.Load(source), Vector256.Load(source + 8), Vector256.Load(source + 16),
            Vector256.Load(source + 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x256 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile32x256 sum)
        where TFormat : IWeightFormat
    {
        Vector256<float> weight = TFormat.Broadcast256(values, index);
        return new(
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens), sum._a),
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens + 8), sum._b),
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens + 16), sum._c),
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens + 24), sum._d));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x256 Add(Tile32x256 left, Tile32x256 right) =>
        new(left._a + right._a, left._b + right._b, left._c + right._c, left._d + right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile32x256 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 8);
        sum._c.Store(target + 16);
        sum._d.Store(target + 24);
    }
}
