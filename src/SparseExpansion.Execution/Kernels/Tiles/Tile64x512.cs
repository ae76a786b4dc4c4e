using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>64 tokens in 4 vectors of 512 bits.</summary>
internal readonly unsafe struct Tile64x512 : IWideTile<Tile64x512>
{
    private readonly Vector512<float> _a;
    private readonly Vector512<float> _b;
    private readonly Vector512<float> _c;
    private readonly Vector512<float> _d;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile64x512(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static int Lanes => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile64x512 Load(float* source) =>
        new(
            Vector512.Load(source), Vector512.Load(source + 16), Vector512.Load(source + 32),
            Vector512.Load(source + 48));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile64x512 MultiplyAdd(Vector512<float> weight, float* tokens, Tile64x512 sum) =>
        new(
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens), sum._a),
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens + 16), sum._b),
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens + 32), sum._c),
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens + 48), sum._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile64x512 Add(Tile64x512 left, Tile64x512 right) =>
        new(left._a + right._a, left._b + right._b, left._c + right._c, left._d + right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile64x512 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 16);
        sum._c.Store(target + 32);
        sum._d.Store(target + 48);
    }
}
