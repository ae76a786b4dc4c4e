using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>16 tokens in 1 vector of 512 bits.</summary>
internal readonly unsafe struct Tile16x512 : IWideTile<Tile16x512>
{
    private readonly Vector512<float> _a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile16x512(Vector512<float> a)
    {
        _a = a;
    }

    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x512 Load(float* source) =>
        new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x512 MultiplyAdd(Vector512<float> weight, float* tokens, Tile16x512 sum) =>
        new(
            Vector512.FusedMultiplyAdd(weight, Vector512.Load(tokens), sum._a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x512 Add(Tile16x512 left, Tile16x512 right) =>
        new(left._a + right._a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile16x512 sum, float* target)
    {
        sum._a.Store(target);
    }
}
