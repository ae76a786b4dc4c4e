using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>16 tokens in 2 vectors of 256 bits.</summary>
internal readonly unsafe struct Tile16x256 : ITile<Tile16x256>
{
    private readonly Vector256<float> _a;
    private readonly Vector256<float> _b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile16x256(Vector256<float> a, Vector256<float> b)
    {
        _a = a;
        _b = b;
    }

    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x256 Load(float* source) =>
        new(Vector256.Load(source), Vector256.Load(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x256 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile16x256 sum)
        where TFormat : IWeightFormat
    {
        Vector256<float> weight = TFormat.Broadcast256(values, index);
        return new(
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens), sum._a),
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens + 8), sum._b));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x256 Add(Tile16x256 left, Tile16x256 right) =>
        new(left._a + right._a, left._b + right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile16x256 sum, float* target)
    {
        sum._a.Store(target);
        sum._b.Store(target + 8);
    }
}
