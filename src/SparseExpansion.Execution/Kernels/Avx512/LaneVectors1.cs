using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>1 token.</summary>
internal readonly unsafe struct LaneVectors1 : ILaneVectors<LaneVectors1>
{
    private readonly Vector512<float> _a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private LaneVectors1(Vector512<float> a)
    {
        _a = a;
    }

    public static int Lanes => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors1 Load(float* source, nint stride) =>
        new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneVectors1 MultiplyAdd(Vector512<float> weights, LaneVectors1 tokens, LaneVectors1 sums) =>
        new(
            Vector512.FusedMultiplyAdd(weights, tokens._a, sums._a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(LaneVectors1 vectors, float* target, nint stride)
    {
        vectors._a.Store(target);
    }
}
