using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>16 tokens in 1 vector of 512 bits.</summary>
internal readonly unsafe struct Tile16x512 : ITile<Tile16x512>
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
    public static Tile16x512 MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, Tile16x512 sum)
        where TFormat : IWeightFormat
    {
        Vector512<float> weight = TFormat.Broadcast512(values, index);
        return new(
            Vector512.MultiplyAddEstimate(weight, Vector512.Load(tokens), sum._a));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile16x512 Add(Tile16x512 left, Tile16x512 right) =>
        new(left._a + right._a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile16x512 sum, float* target)
    {
        sum._a.Store(target);
    }
}
