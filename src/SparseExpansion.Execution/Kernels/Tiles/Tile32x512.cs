using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>32 tokens in 2 vectors of 512 bits.</summary>
internal readonly unsafe struct Tile32x512 : IWideTile<Tile32x512>
{
    private readonly Vector512<float> _a;
    private readonly Vector512<float> _b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile32x512(Vector512<float> a, Vector512<float> b)
    {
        _a = a;
        _b = b;
    }

    public static int Lanes => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x512 Load(float* source) =>
        new(Vector512.Load(source), Vector512.Load(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x512 MultiplyAdd(Vector512<float> weight, float* tokens, Tile32x512 sum) =>
        new(
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens), sum._a),
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens + 16), sum._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile32x512 Add(Tile32x512 left, Tile32x512 right) =>
        new(left._a + right._a, left._b + right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile32x512 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 16);
    }
}
