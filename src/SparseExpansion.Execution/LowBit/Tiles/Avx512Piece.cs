using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Row pieces with vectors of 512 bits: 64 columns at a time are expanded and multiplied in registers.</summary>
internal readonly unsafe struct Avx512Piece<TExpander, TProduct> : ITokenPiece
    where TExpander : IByteExpander
    where TProduct : IWideProduct
{
    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Add(
        ulong* masks, byte* codes, int units, ushort* scales, byte* zeros, int unitShift, sbyte* x, float* a,
        float* sum)
    {
        Vector512<float> total = Vector512.Load(sum);
        if (unitShift > 0 && (units & 1) == 0)
        {
            for (int unit = 0; unit < units; unit += 2)
            {
                int group = unit >> unitShift;
                Vector512<byte> zero = Vector512.Create(zeros[group]);
                Vector512<byte> lower = TExpander.Expand(masks + unit, codes, zero);
                codes += BitOperations.PopCount(masks[unit]);
                Vector512<byte> upper = TExpander.Expand(masks + unit + 1, codes, zero);
                codes += BitOperations.PopCount(masks[unit + 1]);
                total = Scale(total, TProduct.Multiply(lower, upper, x + unit * 64), scales + group, a + unit);
            }
        }
        else
        {
            for (int unit = 0; unit < units; unit++)
            {
                int group = unit >> unitShift;
                Vector512<byte> bytes = TExpander.Expand(masks + unit, codes, Vector512.Create(zeros[group]));
                codes += BitOperations.PopCount(masks[unit]);
                total = Scale(total, TProduct.Multiply(bytes, x + unit * 64), scales + group, a + unit);
            }
        }

        total.Store(sum);
        return codes;
    }

    public static float Finish(float* sum, float* excess, float* ones, int lanes) =>
        RowSum.Finish<Vectors512<TProduct>, Vector512<float>>(sum, excess, ones, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scale(
        Vector512<float> total, Vector512<int> products, ushort* scale, float* tokenScale)
    {
        // A broadcast of sixteen bits leaves the scale in the lower half too.
        Vector512<float> scales = (Vector512.Create(*scale).AsUInt32() & Vector512.Create(0xFFFF_0000)).AsSingle();
        return Vector512.FusedMultiplyAdd(
            Vector512.ConvertToSingle(products) * scales, Vector512.Create(*tokenScale), total);
    }
}
