using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Tiles with vectors of 256 bits.</summary>
internal readonly unsafe struct Avx2Tile<TProduct> : ITile
    where TProduct : IHalfProduct
{
    public static void One<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int token, float* sums)
        where TStep : IStep
    {
        // No call may come after the loop: it would push the sums out of the registers, in the loop.
        float* ones = grid.Sums(tokens, token), excess = scales + grid.Lanes;
        sbyte* x = tokens.Codes(token);
        float* a = tokens.Scales(token);
        byte* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        nint row = 2 * grid.Lanes;
        Vector256<float> y0 = default, y1 = default, y2 = default, y3 = default;
        int shift = grid.UnitShift, units = UnitsOf(tokens, TStep.Units), lanes = grid.Lanes;
        for (int unit = 0; unit < units; unit += TStep.Units)
        {
            nint column = unit * RoundedTokens.UnitColumns;
            float* s = scales + (unit >> shift);
            y0 = Add<TStep>(y0, r0 + column, x + column, s, a + unit);
            y1 = Add<TStep>(y1, r1 + column, x + column, s + row, a + unit);
            y2 = Add<TStep>(y2, r2 + column, x + column, s + 2 * row, a + unit);
            y3 = Add<TStep>(y3, r3 + column, x + column, s + 3 * row, a + unit);
        }

        Finish(y0, y1, y2, y3, excess, row, ones, lanes).Store(sums);
    }

    public static void Two<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int first, int second, float* sums)
        where TStep : IStep
    {
        float* ones = grid.Sums(tokens, first), others = grid.Sums(tokens, second), excess = scales + grid.Lanes;
        sbyte* x = tokens.Codes(first), z = tokens.Codes(second);
        float* a = tokens.Scales(first), b = tokens.Scales(second);
        byte* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        nint row = 2 * grid.Lanes;
        Vector256<float> x0 = default, x1 = default, x2 = default, x3 = default;
        Vector256<float> z0 = default, z1 = default, z2 = default, z3 = default;
        int shift = grid.UnitShift, units = UnitsOf(tokens, TStep.Units), lanes = grid.Lanes;
        for (int unit = 0; unit < units; unit += TStep.Units)
        {
            nint column = unit * RoundedTokens.UnitColumns;
            float* s = scales + (unit >> shift);
            x0 = Add<TStep>(x0, r0 + column, x + column, s, a + unit);
            z0 = Add<TStep>(z0, r0 + column, z + column, s, b + unit);
            x1 = Add<TStep>(x1, r1 + column, x + column, s + row, a + unit);
            z1 = Add<TStep>(z1, r1 + column, z + column, s + row, b + unit);
            x2 = Add<TStep>(x2, r2 + column, x + column, s + 2 * row, a + unit);
            z2 = Add<TStep>(z2, r2 + column, z + column, s + 2 * row, b + unit);
            x3 = Add<TStep>(x3, r3 + column, x + column, s + 3 * row, a + unit);
            z3 = Add<TStep>(z3, r3 + column, z + column, s + 3 * row, b + unit);
        }

        Finish(x0, x1, x2, x3, excess, row, ones, lanes).Store(sums);
        Finish(z0, z1, z2, z3, excess, row, others, lanes).Store(sums + ITile.Rows);
    }

    private static int UnitsOf(RoundedTokens tokens, int step) =>
        ((tokens.Columns + RoundedTokens.UnitColumns - 1) / RoundedTokens.UnitColumns + step - 1) / step * step;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add<TStep>(
        Vector256<float> sum, byte* codes, sbyte* tokens, float* scale, float* tokenScale)
        where TStep : IStep
    {
        Vector256<int> products = TProduct.Multiply(Vector256.Load(codes), Vector256.Load(codes + 32), tokens);
        if (TStep.Units == 2)
        {
            products += TProduct.Multiply(Vector256.Load(codes + 64), Vector256.Load(codes + 96), tokens + 64);
        }

        return Vector256.FusedMultiplyAdd(
            Vector256.ConvertToSingle(products) * Vector256.Create(*scale), Vector256.Create(*tokenScale), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Finish(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, float* excess, nint row,
        float* ones, int lanes)
    {
        for (int i = 0; i < lanes; i += 8, excess += 8)
        {
            Vector256<float> one = Vector256.Load(ones + i);
            a -= Vector256.Load(excess) * one;
            b -= Vector256.Load(excess + row) * one;
            c -= Vector256.Load(excess + 2 * row) * one;
            d -= Vector256.Load(excess + 3 * row) * one;
        }

        return LaneSums.Four(a, b, c, d);
    }
}
