using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Tiles with vectors of one width.</summary>
internal readonly unsafe struct VectorTile<TVectors, TVector> : ITile
    where TVectors : ICodeVectors<TVector>
    where TVector : struct
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
        nint row = 2 * grid.Lanes, ahead = ITile.Rows * (nint)(r1 - r0);
        TVector y0 = default, y1 = default, y2 = default, y3 = default;
        int shift = grid.UnitShift, units = UnitsOf(tokens, TStep.Units), lanes = grid.Lanes;
        for (int unit = 0; unit < units; unit += TStep.Units)
        {
            nint column = unit * RoundedTokens.UnitColumns;
            float* s = scales + (unit >> shift);
            Fetch(r0 + column + ahead);
            Fetch(r1 + column + ahead);
            Fetch(r2 + column + ahead);
            Fetch(r3 + column + ahead);
            y0 = TVectors.Add<TStep>(y0, r0 + column, x + column, s, a + unit);
            y1 = TVectors.Add<TStep>(y1, r1 + column, x + column, s + row, a + unit);
            y2 = TVectors.Add<TStep>(y2, r2 + column, x + column, s + 2 * row, a + unit);
            y3 = TVectors.Add<TStep>(y3, r3 + column, x + column, s + 3 * row, a + unit);
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
        TVector x0 = default, x1 = default, x2 = default, x3 = default;
        TVector z0 = default, z1 = default, z2 = default, z3 = default;
        int shift = grid.UnitShift, units = UnitsOf(tokens, TStep.Units), lanes = grid.Lanes;
        for (int unit = 0; unit < units; unit += TStep.Units)
        {
            nint column = unit * RoundedTokens.UnitColumns;
            float* s = scales + (unit >> shift);
            x0 = TVectors.Add<TStep>(x0, r0 + column, x + column, s, a + unit);
            z0 = TVectors.Add<TStep>(z0, r0 + column, z + column, s, b + unit);
            x1 = TVectors.Add<TStep>(x1, r1 + column, x + column, s + row, a + unit);
            z1 = TVectors.Add<TStep>(z1, r1 + column, z + column, s + row, b + unit);
            x2 = TVectors.Add<TStep>(x2, r2 + column, x + column, s + 2 * row, a + unit);
            z2 = TVectors.Add<TStep>(z2, r2 + column, z + column, s + 2 * row, b + unit);
            x3 = TVectors.Add<TStep>(x3, r3 + column, x + column, s + 3 * row, a + unit);
            z3 = TVectors.Add<TStep>(z3, r3 + column, z + column, s + 3 * row, b + unit);
        }

        Finish(x0, x1, x2, x3, excess, row, ones, lanes).Store(sums);
        Finish(z0, z1, z2, z3, excess, row, others, lanes).Store(sums + ITile.Rows);
    }

    /// <summary>
    /// Asks for the same columns of the next tile, which lies behind this one: bytes that are multiplied where they lie come
    /// from memory, and the processor's own prefetching begins anew with every row. For rows in scratch memory it is not
    /// needed and costs little. The address may be past the end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(byte* codes)
    {
        Sse.Prefetch0(codes);
        Sse.Prefetch0(codes + 64);
    }

    private static int UnitsOf(RoundedTokens tokens, int step) =>
        ((tokens.Columns + RoundedTokens.UnitColumns - 1) / RoundedTokens.UnitColumns + step - 1) / step * step;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Finish(
        TVector a, TVector b, TVector c, TVector d, float* excess, nint row,
        float* ones, int lanes)
    {
        for (int i = 0; i < lanes; i += TVectors.Width, excess += TVectors.Width)
        {
            TVector one = TVectors.Load(ones + i);
            a = TVectors.Subtract(a, TVectors.Load(excess), one);
            b = TVectors.Subtract(b, TVectors.Load(excess + row), one);
            c = TVectors.Subtract(c, TVectors.Load(excess + 2 * row), one);
            d = TVectors.Subtract(d, TVectors.Load(excess + 3 * row), one);
        }

        return TVectors.Four(a, b, c, d);
    }
}
