using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.LowBit.Tokens;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>
/// Products of strips with tokens. Sums of codes fit 16 bits for 32 columns, then 32 bits for a block; a token's result is
/// the same whatever tokens go with it. One, two and four tokens differ in nothing but how often codes are unpacked, and
/// are written out because their sums must stay in registers.
/// </summary>
/// <typeparam name="TVectors">Instructions.</typeparam>
/// <typeparam name="TInteger">Their vector of integers.</typeparam>
/// <typeparam name="TReal">Their vector of float32.</typeparam>
internal readonly unsafe struct StripProduct<TVectors, TInteger, TReal> : IStripProduct
    where TVectors : IStripVectors<TInteger, TReal>
    where TInteger : struct
    where TReal : struct
{
    /// <summary>Columns whose products fit 16 bits: 8 sums of two products of at most 15 · 127.</summary>
    private const int PartColumns = 32;

    /// <summary>Bytes from the codes to those that memory is asked for.</summary>
    private const int Ahead = 4096;

    public static void Multiply(
        StripWeight weight, int strip, RoundedTokens tokens, int* order, int count, float* results)
    {
        StripLayout layout = weight.Layout;
        byte* block = weight.Strip(strip);
        int token = 0;
        for (; token + 4 <= count; token += 4, order += 4, results += 4 * StripLayout.StripRows)
        {
            for (int row = 0; row < StripLayout.StripRows; row += TVectors.Rows)
            {
                Four(block, layout, tokens, order, results + row, row);
            }
        }

        for (; token + 2 <= count; token += 2, order += 2, results += 2 * StripLayout.StripRows)
        {
            for (int row = 0; row < StripLayout.StripRows; row += TVectors.Rows)
            {
                Two(block, layout, tokens, order, results + row, row);
            }
        }

        if (token < count)
        {
            for (int row = 0; row < StripLayout.StripRows; row += TVectors.Rows)
            {
                One(block, layout, tokens, order, results + row, row);
            }
        }
    }

    private static void One(byte* block, StripLayout layout, RoundedTokens tokens, int* order, float* results, int row)
    {
        sbyte* x = tokens.Codes(order[0]);
        float* a = tokens.Scales(order[0]), ones = Ones(layout, tokens, order[0]);
        TReal y = default;
        int units = layout.BlockColumns / RoundedTokens.UnitColumns, parts = layout.BlockColumns / PartColumns;
        for (int b = 0; b < layout.Blocks; b++)
        {
            byte* codes = block + StripLayout.HeaderBytes + 4 * row;
            TInteger total = default;
            for (int part = 0; part < parts; part++, codes += 4 * StripLayout.UnitBytes, x += PartColumns)
            {
                TInteger sum = Unit(default, codes, x);
                sum = Unit(sum, codes + StripLayout.UnitBytes, x + StripLayout.UnitColumns);
                sum = Unit(sum, codes + 2 * StripLayout.UnitBytes, x + 2 * StripLayout.UnitColumns);
                sum = Unit(sum, codes + 3 * StripLayout.UnitBytes, x + 3 * StripLayout.UnitColumns);
                total = TVectors.Widen(total, sum);
            }

            y = Scale(y, total, block, row, a[b * units], ones[b]);
            block += layout.BlockBytes;
        }

        TVectors.Store(y, results);
    }

    private static void Two(byte* block, StripLayout layout, RoundedTokens tokens, int* order, float* results, int row)
    {
        sbyte* x0 = tokens.Codes(order[0]);
        sbyte* x1 = tokens.Codes(order[1]);
        float* a0 = tokens.Scales(order[0]), ones0 = Ones(layout, tokens, order[0]);
        float* a1 = tokens.Scales(order[1]), ones1 = Ones(layout, tokens, order[1]);
        TReal y0 = default, y1 = default;
        int units = layout.BlockColumns / RoundedTokens.UnitColumns;
        nint column = 0;
        for (int b = 0; b < layout.Blocks; b++)
        {
            byte* codes = block + StripLayout.HeaderBytes + 4 * row;
            TInteger total0 = default, total1 = default;
            for (nint end = column + layout.BlockColumns; column < end;)
            {
                TInteger part0 = default, part1 = default;
                for (nint next = column + PartColumns; column < next; column += StripLayout.UnitColumns, codes += StripLayout.UnitBytes)
                {
                    Sse.Prefetch0(codes + Ahead);
                    TInteger pairs = TVectors.Load(codes), lower = TVectors.Lower(pairs), upper = TVectors.Upper(pairs);
                    part0 = Add(part0, lower, upper, x0 + column);
                    part1 = Add(part1, lower, upper, x1 + column);
                }

                total0 = TVectors.Widen(total0, part0);
                total1 = TVectors.Widen(total1, part1);
            }

            y0 = Scale(y0, total0, block, row, a0[b * units], ones0[b]);
            y1 = Scale(y1, total1, block, row, a1[b * units], ones1[b]);
            block += layout.BlockBytes;
        }

        TVectors.Store(y0, results);
        TVectors.Store(y1, results + 1 * StripLayout.StripRows);
    }

    private static void Four(byte* block, StripLayout layout, RoundedTokens tokens, int* order, float* results, int row)
    {
        sbyte* x0 = tokens.Codes(order[0]);
        sbyte* x1 = tokens.Codes(order[1]);
        sbyte* x2 = tokens.Codes(order[2]);
        sbyte* x3 = tokens.Codes(order[3]);
        float* a0 = tokens.Scales(order[0]), ones0 = Ones(layout, tokens, order[0]);
        float* a1 = tokens.Scales(order[1]), ones1 = Ones(layout, tokens, order[1]);
        float* a2 = tokens.Scales(order[2]), ones2 = Ones(layout, tokens, order[2]);
        float* a3 = tokens.Scales(order[3]), ones3 = Ones(layout, tokens, order[3]);
        TReal y0 = default, y1 = default, y2 = default, y3 = default;
        int units = layout.BlockColumns / RoundedTokens.UnitColumns;
        nint column = 0;
        for (int b = 0; b < layout.Blocks; b++)
        {
            byte* codes = block + StripLayout.HeaderBytes + 4 * row;
            TInteger total0 = default, total1 = default, total2 = default, total3 = default;
            for (nint end = column + layout.BlockColumns; column < end;)
            {
                TInteger part0 = default, part1 = default, part2 = default, part3 = default;
                for (nint next = column + PartColumns; column < next; column += StripLayout.UnitColumns, codes += StripLayout.UnitBytes)
                {
                    Sse.Prefetch0(codes + Ahead);
                    TInteger pairs = TVectors.Load(codes), lower = TVectors.Lower(pairs), upper = TVectors.Upper(pairs);
                    part0 = Add(part0, lower, upper, x0 + column);
                    part1 = Add(part1, lower, upper, x1 + column);
                    part2 = Add(part2, lower, upper, x2 + column);
                    part3 = Add(part3, lower, upper, x3 + column);
                }

                total0 = TVectors.Widen(total0, part0);
                total1 = TVectors.Widen(total1, part1);
                total2 = TVectors.Widen(total2, part2);
                total3 = TVectors.Widen(total3, part3);
            }

            y0 = Scale(y0, total0, block, row, a0[b * units], ones0[b]);
            y1 = Scale(y1, total1, block, row, a1[b * units], ones1[b]);
            y2 = Scale(y2, total2, block, row, a2[b * units], ones2[b]);
            y3 = Scale(y3, total3, block, row, a3[b * units], ones3[b]);
            block += layout.BlockBytes;
        }

        TVectors.Store(y0, results);
        TVectors.Store(y1, results + 1 * StripLayout.StripRows);
        TVectors.Store(y2, results + 2 * StripLayout.StripRows);
        TVectors.Store(y3, results + 3 * StripLayout.StripRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInteger Unit(TInteger sum, byte* codes, sbyte* x)
    {
        // Weights of one token come from memory.
        Sse.Prefetch0(codes + Ahead);
        TInteger pairs = TVectors.Load(codes);
        return Add(sum, TVectors.Lower(pairs), TVectors.Upper(pairs), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInteger Add(TInteger sum, TInteger lower, TInteger upper, sbyte* x) =>
        TVectors.Add(TVectors.Add(sum, lower, x), upper, x + 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TReal Scale(TReal result, TInteger total, byte* block, int row, float scale, float ones) =>
        TVectors.Scale(result, total, (ushort*)block + row, block + StripLayout.ZerosAt + row, scale, ones);

    private static float* Ones(StripLayout layout, RoundedTokens tokens, int token) =>
        layout.BlockColumns == RoundedTokens.UnitColumns ? tokens.UnitSums(token) : tokens.PairSums(token);
}
