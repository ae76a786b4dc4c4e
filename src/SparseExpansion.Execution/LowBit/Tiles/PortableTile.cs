using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Tiles with vectors of 128 bits, on every processor; codes of all widths.</summary>
internal readonly unsafe struct PortableTile : ITile
{
    public static void One<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int token, float* sums)
        where TStep : IStep
    {
        for (int row = 0; row < ITile.Rows; row++)
        {
            sums[row] = Row(rows[row], scales + 2 * row * grid.Lanes, grid, tokens, token);
        }
    }

    public static void Two<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int first, int second, float* sums)
        where TStep : IStep
    {
        for (int row = 0; row < ITile.Rows; row++)
        {
            sums[row] = Row(rows[row], scales + 2 * row * grid.Lanes, grid, tokens, first);
            sums[ITile.Rows + row] = Row(rows[row], scales + 2 * row * grid.Lanes, grid, tokens, second);
        }
    }

    private static float Row(byte* codes, float* scales, GroupScales grid, RoundedTokens tokens, int token)
    {
        sbyte* x = tokens.Codes(token);
        float* a = tokens.Scales(token);
        int units = (tokens.Columns + RoundedTokens.UnitColumns - 1) / RoundedTokens.UnitColumns;
        float sum = 0;
        for (int unit = 0; unit < units; unit++)
        {
            nint column = unit * RoundedTokens.UnitColumns;
            sum += scales[unit >> grid.UnitShift] * a[unit] * Unit(codes + column, x + column);
        }

        float* excess = scales + grid.Lanes, ones = grid.Sums(tokens, token);
        for (int group = 0; group < grid.Groups; group++)
        {
            sum -= excess[group] * ones[group];
        }

        return sum;
    }

    /// <summary>A code of eight bits times a token of seven and a sign fits 16 bits.</summary>
    private static int Unit(byte* codes, sbyte* tokens)
    {
        Vector128<int> sum = Vector128<int>.Zero;
        for (int column = 0; column < RoundedTokens.UnitColumns; column += 16)
        {
            Vector128<byte> c = Vector128.Load(codes + column);
            Vector128<sbyte> x = Vector128.Load(tokens + column);
            Vector128<short> lower = Vector128.WidenLower(c).AsInt16() * Vector128.WidenLower(x);
            Vector128<short> upper = Vector128.WidenUpper(c).AsInt16() * Vector128.WidenUpper(x);
            sum += Vector128.WidenLower(lower) + Vector128.WidenUpper(lower);
            sum += Vector128.WidenLower(upper) + Vector128.WidenUpper(upper);
        }

        return Vector128.Sum(sum);
    }
}
