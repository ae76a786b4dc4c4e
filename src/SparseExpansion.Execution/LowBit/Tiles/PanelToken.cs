using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>
/// Multiplies a panel with one token while its codes are expanded: nothing dense is ever written. The partial
/// sums of every row wait in memory for the next block.
/// </summary>
internal static unsafe class PanelToken
{
    /// <summary>Floats of the partial sums of a panel.</summary>
    public const int SumFloats = PackedLayout.Limit * RoundedTokens.SumLanes;

    /// <summary>Multiplies.</summary>
    /// <param name="weight">Codes under masks.</param>
    /// <param name="panel">The panel.</param>
    /// <param name="tokens">Rounded tokens.</param>
    /// <param name="token">The token.</param>
    /// <param name="path">Instructions.</param>
    /// <param name="scratch">Memory of <see cref="CodeStream.ScratchBytes"/>.</param>
    /// <param name="sums">Memory of <see cref="SumFloats"/>, and of two rows of scales behind them.</param>
    /// <param name="output">Where the products go.</param>
    public static void Multiply<TPiece>(
        PackedWeight weight, int panel, RoundedTokens tokens, int token, LowBitPath path, byte* scratch, float* sums,
        TileOutput output)
        where TPiece : ITokenPiece
    {
        PackedLayout layout = weight.Layout;
        var grid = new GroupScales(weight.Grid!);
        int rows = layout.RowsIn(panel), firstRow = panel * layout.PanelRows;
        new Span<float>(sums, rows * TPiece.Lanes).Clear();
        AddBlocks<TPiece>(weight, panel, grid, tokens, token, path, scratch, sums);
        float* scales = sums + SumFloats, excess = scales + grid.Lanes, ones = grid.Sums(tokens, token);
        for (int row = 0; row < rows; row++)
        {
            grid.Write(firstRow + row, scales, excess);
            output.Write(token, firstRow + row, TPiece.Finish(sums + row * TPiece.Lanes, excess, ones, grid.Lanes));
        }
    }

    private static void AddBlocks<TPiece>(
        PackedWeight weight, int panel, GroupScales grid, RoundedTokens tokens, int token, LowBitPath path,
        byte* scratch, float* sums)
        where TPiece : ITokenPiece
    {
        PackedLayout layout = weight.Layout;
        var stream = new CodeStream(
            weight.Values, weight.PanelOffsets[panel], weight.PanelOffsets[panel + 1], weight.Bits, path, scratch);
        long piece = layout.FirstRowBlock(panel);
        ulong* masks = (ulong*)(weight.Masks + piece * layout.MaskBytes);
        byte* order = weight.RowOrder + piece, end = order;
        int words = layout.BlockColumns / PackedLayout.MaskColumns, rows = layout.RowsIn(panel);
        long firstGroup = (long)panel * layout.PanelRows * grid.Groups;
        ushort* scales = weight.Scales + firstGroup;
        byte* zeros = weight.Zeros + firstGroup;
        for (int block = 0; block < layout.BlockCount; block++)
        {
            int unit = block * words;
            int units = Math.Min(words, (layout.Columns - unit * 64 + 63) / 64);
            int group = unit >> grid.UnitShift;
            sbyte* x = tokens.Codes(token) + unit * 64;
            float* a = tokens.Scales(token) + unit;
            for (end += rows; order < end; order++, masks += words)
            {
                stream.Ensure();
                nint first = *order * (nint)grid.Groups + group;
                float* sum = sums + *order * TPiece.Lanes;
                stream.Current = TPiece.Add(
                    masks, stream.Current, units, scales + first, zeros + first, grid.UnitShift, x, a, sum);
            }
        }
    }
}
