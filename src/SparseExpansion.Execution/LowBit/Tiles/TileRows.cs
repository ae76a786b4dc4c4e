using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Multiplies dense rows of codes with tokens, tile by tile.</summary>
internal static unsafe class TileRows
{
    /// <summary>Multiplies with the loop for the groups of the grid.</summary>
    public static void Multiply<TTile>(
        byte* codes, nint stride, int rows, int firstRow, GroupScales grid, RoundedTokens tokens, int* order, int count,
        float* scales, TileOutput output)
        where TTile : ITile
    {
        if (grid.UnitShift == 0)
        {
            Multiply<TTile, OneUnit>(codes, stride, rows, firstRow, grid, tokens, order, count, scales, output);
        }
        else
        {
            Multiply<TTile, TwoUnits>(codes, stride, rows, firstRow, grid, tokens, order, count, scales, output);
        }
    }

    /// <summary>Multiplies; every output is summed in the same order, whatever the tiles.</summary>
    /// <param name="codes">[rows, stride], a byte a column.</param>
    /// <param name="stride">Bytes from row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="firstRow">Number of the first row in the weight.</param>
    /// <param name="grid">The weight's grid.</param>
    /// <param name="tokens">Rounded tokens.</param>
    /// <param name="order">[count] the tokens to multiply, and where their outputs go.</param>
    /// <param name="count">Tokens to multiply.</param>
    /// <param name="scales">[4, 2, lanes], written here.</param>
    /// <param name="output">Where the products go.</param>
    private static void Multiply<TTile, TStep>(
        byte* codes, nint stride, int rows, int firstRow, GroupScales grid, RoundedTokens tokens, int* order, int count,
        float* scales, TileOutput output)
        where TTile : ITile
        where TStep : IStep
    {
        byte** tileRows = stackalloc byte*[ITile.Rows];
        float* sums = stackalloc float[2 * ITile.Rows];
        for (int row = 0; row < rows; row += ITile.Rows)
        {
            int inside = Math.Min(ITile.Rows, rows - row);
            for (int i = 0; i < ITile.Rows; i++)
            {
                int used = row + Math.Min(i, inside - 1);
                tileRows[i] = codes + used * stride;
                float* scale = scales + 2 * i * grid.Lanes;
                grid.Write(firstRow + used, scale, scale + grid.Lanes);
            }

            int t = 0;
            for (; t + 2 <= count; t += 2)
            {
                TTile.Two<TStep>(tileRows, scales, grid, tokens, order[t], order[t + 1], sums);
                for (int i = 0; i < inside; i++)
                {
                    output.Write(order[t], firstRow + row + i, sums[i]);
                    output.Write(order[t + 1], firstRow + row + i, sums[ITile.Rows + i]);
                }
            }

            if (t < count)
            {
                TTile.One<TStep>(tileRows, scales, grid, tokens, order[t], sums);
                for (int i = 0; i < inside; i++)
                {
                    output.Write(order[t], firstRow + row + i, sums[i]);
                }
            }
        }
    }
}
