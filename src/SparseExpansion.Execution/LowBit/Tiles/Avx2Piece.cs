using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Row pieces with vectors of 256 bits: 32 columns at a time are expanded and multiplied in registers.</summary>
internal readonly unsafe struct Avx2Piece<TProduct> : ITokenPiece
    where TProduct : IHalfProduct
{
    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Add(
        ulong* masks, byte* codes, int units, ushort* scales, byte* zeros, int unitShift, sbyte* x, float* a,
        float* sum)
    {
        Vector256<float> total = Vector256.Load(sum);
        for (int unit = 0; unit < units; unit++)
        {
            int group = unit >> unitShift;
            Vector256<byte> zero = Vector256.Create(zeros[group]);
            uint* halves = (uint*)(masks + unit);
            Vector256<byte> lower = HalfByteExpander.Expand(halves, codes, zero);
            codes += BitOperations.PopCount(*halves);
            Vector256<byte> upper = HalfByteExpander.Expand(halves + 1, codes, zero);
            codes += BitOperations.PopCount(halves[1]);
            total = Scale(total, TProduct.Multiply(lower, upper, x + unit * 64), scales + group, a + unit);
        }

        total.Store(sum);
        return codes;
    }

    public static float Finish(float* sum, float* excess, float* ones, int lanes) =>
        RowSum.Finish<Vectors256<TProduct>, Vector256<float>>(sum, excess, ones, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scale(
        Vector256<float> total, Vector256<int> products, ushort* scale, float* tokenScale)
    {
        // A broadcast of sixteen bits leaves the scale in the lower half too.
        Vector256<float> scales = (Vector256.Create(*scale).AsUInt32() & Vector256.Create(0xFFFF_0000)).AsSingle();
        return Vector256.FusedMultiplyAdd(
            Vector256.ConvertToSingle(products) * scales, Vector256.Create(*tokenScale), total);
    }
}
