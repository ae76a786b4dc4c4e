using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>8 tokens in 1 vector of 256 bits.</summary>
internal readonly unsafe struct Tile8x256 : ITile<Tile8x256>
{
    private readonly Vector256<float> _a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tile8x256(Vector256<float> a)
    {
        _a = a;
    }

    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x256 Load(float* source) =>
        new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x256 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile8x256 sum)
        where TFormat : IWeightFormat
    {
        Vector256<float> weight = TFormat.Broadcast256(values, index);
        return new(
            Vector256.FusedMultiplyAdd(weight, Vector256.Load(tokens), sum._a));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile8x256 Add(Tile8x256 left, Tile8x256 right) =>
        new(left._a + right._a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile8x256 sum, float* target)
    {
        sum._a.Store(target);
    }
}
