using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Tiles;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Execution.LowBit;

/// <summary>
/// Multiplies: an item is a panel of a packed weight, or some rows of a dense one, with all tokens of its segment. Every
/// output is summed inside one item and always in the same order, so the number of threads cannot change a result.
/// </summary>
internal sealed unsafe class LowBitWork : IParallelWork, IDisposable
{
    /// <summary>Rows of an item of a dense weight.</summary>
    public const int DenseRows = 32;

    /// <summary>From so many tokens on, unpacking the codes of a row costs less than multiplying them where they lie.</summary>
    private const int UnpackedTokens = 6;

    private readonly WorkerScratch _scratch = new();
    private LowBitSegment[] _segments = [];
    private int _count;
    private int _items;
    private RoundedTokens _tokens = null!;
    private TileOutput _output;
    private int* _order;
    private LowBitPath _path;

    /// <summary>Begins a product.</summary>
    public void Begin(RoundedTokens tokens, int* order, TileOutput output, LowBitPath path)
    {
        _order = order;
        (_tokens, _output, _path) = (tokens, output, path);
        (_count, _items) = (0, 0);
    }

    /// <summary>Adds a weight and its tokens.</summary>
    public void Add(PackedWeight? packed, QuantizedWeight? dense, int firstToken, int tokens)
    {
        if (_count == _segments.Length)
        {
            Array.Resize(ref _segments, Math.Max(16, 2 * _count));
        }

        int items = packed?.Layout.PanelCount ?? (dense!.Rows + DenseRows - 1) / DenseRows;
        _segments[_count++] = new LowBitSegment
        {
            Packed = packed,
            Dense = dense,
            FirstToken = firstToken,
            Tokens = tokens,
            FirstItem = _items,
            Items = items,
        };
        _items += items;
    }

    /// <summary>Multiplies all, and lets go of the weights.</summary>
    public void Run(int threads)
    {
        _scratch.Reserve(ScratchBytes(), threads);
        try
        {
            WorkerPool.Run(this, _items, threads);
        }
        finally
        {
            Array.Clear(_segments, 0, _count);
            _count = 0;
        }
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int index = _count - 1;
        while (_segments[index].FirstItem > item)
        {
            index--;
        }

        ref readonly LowBitSegment segment = ref _segments[index];
        if (segment.Packed is { } packed)
        {
            MultiplyPanel(packed, item - segment.FirstItem, in segment, _scratch.Of(worker));
        }
        else
        {
            MultiplyRows(segment.Dense!, (item - segment.FirstItem) * DenseRows, in segment, _scratch.Of(worker));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Free();

    private nint Stride => _tokens.Units * RoundedTokens.UnitColumns;

    /// <summary>A stream of codes, the sums of a panel, and its rows where several tokens share them.</summary>
    private nuint ScratchBytes()
    {
        int rows = DenseRows;
        for (int i = 0; i < _count; i++)
        {
            rows = Math.Max(rows, _segments[i].Packed?.Layout.PanelRows ?? 0);
        }

        return StreamBytes + SumBytes + (nuint)(rows * Stride) + (2 * CodeUnpacker.Slack);
    }

    /// <summary>The sums of a panel, or the scales of a tile: a group has 64 columns at least.</summary>
    private nuint SumBytes => Math.Max(
        (nuint)(PanelToken.SumFloats + 2 * (_tokens.Units + RoundedTokens.SumLanes)) * sizeof(float),
        (nuint)(2 * ITile.Rows * (_tokens.Units + RoundedTokens.SumLanes) * sizeof(float)));

    private static nuint StreamBytes => (CodeStream.ScratchBytes + 63) / 64 * 64;

    private void MultiplyPanel(PackedWeight weight, int panel, in LowBitSegment segment, byte* scratch)
    {
        float* sums = (float*)(scratch + StreamBytes);
        if (segment.Tokens == 1 && _path >= LowBitPath.Avx2)
        {
            MultiplyOne(weight, panel, _order[segment.FirstToken], scratch, sums);
            return;
        }

        byte* rows = (byte*)sums + SumBytes;
        ColumnExpander.ExpandPanel(weight, panel, _path, scratch, rows, Stride);
        PackedLayout layout = weight.Layout;
        MultiplyTiles(
            rows, Stride, layout.RowsIn(panel), panel * layout.PanelRows, weight.Grid!, in segment, scratch);
    }

    private void MultiplyOne(PackedWeight weight, int panel, int token, byte* scratch, float* sums)
    {
        switch (_path, weight.Bits == 8)
        {
            case (LowBitPath.Avx512Vbmi2, true):
                PanelToken.Multiply<Avx512Piece<Vbmi2ByteExpander, ByteProduct512>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
            case (LowBitPath.Avx512Vbmi2, false):
                PanelToken.Multiply<Avx512Piece<Vbmi2ByteExpander, NarrowProduct512>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
            case (LowBitPath.Avx512, true):
                PanelToken.Multiply<Avx512Piece<Avx512ByteExpander, ByteProduct512>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
            case (LowBitPath.Avx512, false):
                PanelToken.Multiply<Avx512Piece<Avx512ByteExpander, NarrowProduct512>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
            case (_, true):
                PanelToken.Multiply<Avx2Piece<ByteProduct256>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
            case (_, false):
                PanelToken.Multiply<Avx2Piece<NarrowProduct256>>(
                    weight, panel, _tokens, token, _path, scratch, sums, _output);
                break;
        }
    }

    private void MultiplyRows(QuantizedWeight weight, int firstRow, in LowBitSegment segment, byte* scratch)
    {
        int rows = Math.Min(DenseRows, weight.Rows - firstRow);
        byte* codes = weight.Codes.Pointer + firstRow * weight.RowBytes;
        bool paired = weight.Bits == 4 && weight.Grid.GroupSize != 64 && _path >= LowBitPath.Avx2;
        if (paired && segment.Tokens < UnpackedTokens)
        {
            MultiplyNibbles(codes, (nint)weight.RowBytes, rows, firstRow, weight.Grid, in segment, scratch);
            return;
        }

        if (weight.Bits == 8 && weight.Columns % RoundedTokens.GroupColumns == 0)
        {
            MultiplyTiles(codes, (nint)weight.RowBytes, rows, firstRow, weight.Grid, in segment, scratch);
            return;
        }

        // The unpacker writes a little before and behind every row, so a tile's rows are unpacked in turn.
        for (int row = 0; row < rows; row += ITile.Rows)
        {
            int inside = Math.Min(ITile.Rows, rows - row);
            byte* unpacked = scratch + StreamBytes + SumBytes + CodeUnpacker.Slack;
            for (int i = 0; i < inside; i++)
            {
                UnpackRow(weight, codes + (row + i) * weight.RowBytes, paired, unpacked + i * Stride);
            }

            if (paired)
            {
                MultiplyPairs(unpacked, inside, firstRow + row, weight.Grid, in segment, scratch);
            }
            else
            {
                MultiplyTiles(unpacked, Stride, inside, firstRow + row, weight.Grid, in segment, scratch);
            }
        }
    }

    private void UnpackRow(QuantizedWeight weight, byte* codes, bool paired, byte* target)
    {
        if (paired)
        {
            CodeUnpacker.UnpackPairs(codes, weight.Columns, _path, target);
            return;
        }

        byte* from = CodeUnpacker.Unpack(codes, 0, weight.Columns, weight.Bits, _path, target - CodeUnpacker.Slack);
        if (from != target)
        {
            Buffer.MemoryCopy(from, target, Stride, weight.Columns);
        }
    }

    /// <summary>Codes of four bits where they lie.</summary>
    private void MultiplyNibbles(
        byte* codes, nint stride, int rows, int firstRow, PackedGrid grid, in LowBitSegment segment, byte* scratch)
    {
        if (_path >= LowBitPath.Avx512)
        {
            MultiplyPairs<VectorTile<Vectors512<WideNibbles>, Vector512<float>, PairOrder>>(
                codes, stride, rows, firstRow, grid, in segment, scratch);
        }
        else
        {
            MultiplyPairs<VectorTile<Vectors256<HalfNibbles>, Vector256<float>, PairOrder>>(
                codes, stride, rows, firstRow, grid, in segment, scratch);
        }
    }

    /// <summary>The same, a byte each: sums are those of the codes where they lie.</summary>
    private void MultiplyPairs(
        byte* codes, int rows, int firstRow, PackedGrid grid, in LowBitSegment segment, byte* scratch)
    {
        if (_path >= LowBitPath.Avx512)
        {
            MultiplyPairs<VectorTile<Vectors512<WideBytes<NarrowProduct512>>, Vector512<float>, PairOrder>>(
                codes, Stride, rows, firstRow, grid, in segment, scratch);
        }
        else
        {
            MultiplyPairs<VectorTile<Vectors256<HalfBytes<NarrowProduct256>>, Vector256<float>, PairOrder>>(
                codes, Stride, rows, firstRow, grid, in segment, scratch);
        }
    }

    private void MultiplyPairs<TTile>(
        byte* codes, nint stride, int rows, int firstRow, PackedGrid grid, in LowBitSegment segment, byte* scratch)
        where TTile : ITile =>
        TileRows.Multiply<TTile, TwoUnits>(
            codes, stride, rows, firstRow, new GroupScales(grid), _tokens, _order + segment.FirstToken, segment.Tokens,
            (float*)(scratch + StreamBytes), _output);

    private void MultiplyTiles(
        byte* codes, nint stride, int rows, int firstRow, PackedGrid grid, in LowBitSegment segment, byte* scratch)
    {
        var scales = new GroupScales(grid);
        float* scaleMemory = (float*)(scratch + StreamBytes);
        int* order = _order + segment.FirstToken;
        switch (_path, grid.Bits == 8)
        {
            case ( >= LowBitPath.Avx512, true):
                TileRows.Multiply<VectorTile<Vectors512<WideBytes<ByteProduct512>>, Vector512<float>, ColumnOrder>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case ( >= LowBitPath.Avx512, false):
                TileRows.Multiply<VectorTile<Vectors512<WideBytes<NarrowProduct512>>, Vector512<float>, ColumnOrder>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case (LowBitPath.Avx2, true):
                TileRows.Multiply<VectorTile<Vectors256<HalfBytes<ByteProduct256>>, Vector256<float>, ColumnOrder>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case (LowBitPath.Avx2, false):
                TileRows.Multiply<VectorTile<Vectors256<HalfBytes<NarrowProduct256>>, Vector256<float>, ColumnOrder>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            default:
                TileRows.Multiply<PortableTile>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
        }
    }
}
