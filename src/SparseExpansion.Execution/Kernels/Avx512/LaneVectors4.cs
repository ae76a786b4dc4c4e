using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>4 tokens.</summary>
internal readonly unsafe struct LaneVectors4 : ILaneVectors<LaneVectors4>
{
    private readonly Vector512<float> _a;
    private readonly Vector512<float> _b;
    private readonly Vector512<float> _c;
    private readonly Vector512<float> _d;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private LaneVectors4(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors4 Load(float* source, nint stride) =>
        new(
            Vector512.Load(source), Vector512.Load(source + stride), Vector512.Load(source + 2 * stride),
            Vector512.Load(source + 3 * stride));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors4 MultiplyAdd(Vector512<float> weights, LaneVectors4 tokens, LaneVectors4 sums) =>
        new(
            Vector512.FusedMultiplyAdd(weights, tokens._a, sums._a),
            Vector512.FusedMultiplyAdd(weights, tokens._b, sums._b),
            Vector512.FusedMultiplyAdd(weights, tokens._c, sums._c),
            Vector512.FusedMultiplyAdd(weights, tokens._d, sums._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(LaneVectors4 vectors, float* target, nint stride)
    {
        vectors._a.Store(target);
        vectors._b.Store(target + stride);
        vectors._c.Store(target + 2 * stride);
        vectors._d.Store(target + 3 * stride);
    }
}
