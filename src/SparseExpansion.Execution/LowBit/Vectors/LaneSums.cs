using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Sums over the lanes of several vectors at once.</summary>
internal static class LaneSums
{
    /// <summary>One sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One(Vector512<float> a) => One(a.GetLower() + a.GetUpper());

    /// <summary>One sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One(Vector256<float> a)
    {
        Vector128<float> four = a.GetLower() + a.GetUpper();
        four += Sse.MoveHighToLow(four, four);
        return four[0] + four[1];
    }

    /// <summary>Four sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) => Four(
        a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(),
        d.GetLower() + d.GetUpper());

    /// <summary>Four sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<float> pairs = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
        return pairs.GetLower() + pairs.GetUpper();
    }
}
