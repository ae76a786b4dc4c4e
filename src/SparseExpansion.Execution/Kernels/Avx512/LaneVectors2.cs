using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>2 tokens.</summary>
internal readonly unsafe struct LaneVectors2 : ILaneVectors<LaneVectors2>
{
    private readonly Vector512<float> _a;
    private readonly Vector512<float> _b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private LaneVectors2(Vector512<float> a, Vector512<float> b)
    {
        _a = a;
        _b = b;
    }

    public static int Lanes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors2 Load(float* source, nint stride) =>
        new(Vector512.Load(source), Vector512.Load(source + stride));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors2 MultiplyAdd(Vector512<float> weights, LaneVectors2 tokens, LaneVectors2 sums) =>
        new(
            Vector512.FusedMultiplyAdd(weights, tokens._a, sums._a),
            Vector512.FusedMultiplyAdd(weights, tokens._b, sums._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(LaneVectors2 vectors, float* target, nint stride)
    {
        vectors._a.Store(target);
        vectors._b.Store(target + stride);
    }
}
