using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Columns;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Strips;
using SparseExpansion.Execution.LowBit.Tiles;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Execution.LowBit;

/// <summary>
/// Multiplies: an item is a panel of a packed weight, some rows of a dense one, or a strip, with all tokens of its segment. Every
/// output is summed inside one item and always in the same order, so the number of threads cannot change a result.
/// </summary>
internal sealed unsafe class LowBitWork : IParallelWork, IDisposable
{
    /// <summary>Rows of an item of a dense weight.</summary>
    public const int DenseRows = 32;

    /// <summary>Tokens whose products with a strip wait on the stack.</summary>
    private const int StripTokens = 32;

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
    /// <exception cref="ArgumentException">It is for tokens of another width, or holds values instead of codes.</exception>
    public void Add(object weight, int firstToken, int tokens)
    {
        if (_count == _segments.Length)
        {
            Array.Resize(ref _segments, Math.Max(16, 2 * _count));
        }

        int items = ItemsOf(weight);
        _segments[_count++] = new LowBitSegment
        {
            Weight = weight,
            FirstToken = firstToken,
            Tokens = tokens,
            FirstItem = _items,
            Items = items,
        };
        _items += items;
    }

    /// <summary>Checks a weight.</summary>
    private int ItemsOf(object weight)
    {
        (weight as PackedWeight)?.Verify();
        (int columns, int items) = weight switch
        {
            StripWeight strips => (strips.Columns, strips.Layout.Strips),
            PackedWeight { Bits: > 0 } packed => (packed.Columns, packed.Layout.PanelCount),
            QuantizedWeight dense => (dense.Columns, (dense.Rows + DenseRows - 1) / DenseRows),
            _ => throw new ArgumentException("The weight holds no codes.", nameof(weight)),
        };
        return columns == _tokens.Columns
            ? items
            : throw new ArgumentException(
                $"The weight is for tokens of {columns} features, not {_tokens.Columns}.", nameof(weight));
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
        int inside = item - segment.FirstItem;
        switch (segment.Weight)
        {
            case StripWeight strips:
                MultiplyStrip(strips, inside, in segment);
                break;
            case PackedWeight packed:
                MultiplyPanel(packed, inside, in segment, _scratch.Of(worker));
                break;
            case QuantizedWeight dense:
                MultiplyRows(dense, inside * DenseRows, in segment, _scratch.Of(worker));
                break;
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
            rows = Math.Max(rows, (_segments[i].Weight as PackedWeight)?.Layout.PanelRows ?? 0);
        }

        return StreamBytes + SumBytes + (nuint)(rows * Stride) + (2 * CodeUnpacker.Slack);
    }

    /// <summary>The sums of a panel, or the scales of a tile: a group has 64 columns at least.</summary>
    private nuint SumBytes => Math.Max(
        (nuint)(PanelToken.SumFloats + 2 * (_tokens.Units + RoundedTokens.SumLanes)) * sizeof(float),
        (nuint)(2 * ITile.Rows * (_tokens.Units + RoundedTokens.SumLanes) * sizeof(float)));

    private static nuint StreamBytes => (CodeStream.ScratchBytes + 63) / 64 * 64;

    [SkipLocalsInit] // All results that are read were written.
    private void MultiplyStrip(StripWeight weight, int strip, in LowBitSegment segment)
    {
        int firstRow = strip * StripLayout.StripRows, rows = Math.Min(StripLayout.StripRows, weight.Rows - firstRow);
        float* results = stackalloc float[StripTokens * StripLayout.StripRows];
        for (int token = 0; token < segment.Tokens; token += StripTokens)
        {
            int count = Math.Min(StripTokens, segment.Tokens - token);
            int* order = _order + segment.FirstToken + token;
            switch (_path)
            {
                case >= LowBitPath.Avx512:
                    StripProduct<Strip512, Vector512<byte>, Vector512<float>>.Multiply(weight, strip, _tokens, order, count, results);
                    break;
                case LowBitPath.Avx2:
                    StripProduct<Strip256, Vector256<byte>, Vector256<float>>.Multiply(weight, strip, _tokens, order, count, results);
                    break;
                default:
                    PortableStripProduct.Multiply(weight, strip, _tokens, order, count, results);
                    break;
            }

            for (int i = 0; i < count; i++)
            {
                _output.Write(order[i], firstRow, results + i * StripLayout.StripRows, rows);
            }
        }
    }

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
                byte* to = unpacked + i * Stride;
                byte* from = CodeUnpacker.Unpack(
                    codes + (row + i) * weight.RowBytes, 0, weight.Columns, weight.Bits, _path, to - CodeUnpacker.Slack);
                if (from != to)
                {
                    Buffer.MemoryCopy(from, to, Stride, weight.Columns);
                }
            }

            MultiplyTiles(unpacked, Stride, inside, firstRow + row, weight.Grid, in segment, scratch);
        }
    }

    private void MultiplyTiles(
        byte* codes, nint stride, int rows, int firstRow, PackedGrid grid, in LowBitSegment segment, byte* scratch)
    {
        var scales = new GroupScales(grid);
        float* scaleMemory = (float*)(scratch + StreamBytes);
        int* order = _order + segment.FirstToken;
        switch (_path, grid.Bits == 8)
        {
            case ( >= LowBitPath.Avx512, true):
                TileRows.Multiply<VectorTile<Vectors512<ByteProduct512>, Vector512<float>>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case ( >= LowBitPath.Avx512, false):
                TileRows.Multiply<VectorTile<Vectors512<NarrowProduct512>, Vector512<float>>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case (LowBitPath.Avx2, true):
                TileRows.Multiply<VectorTile<Vectors256<ByteProduct256>, Vector256<float>>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            case (LowBitPath.Avx2, false):
                TileRows.Multiply<VectorTile<Vectors256<NarrowProduct256>, Vector256<float>>>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
            default:
                TileRows.Multiply<PortableTile>(
                    codes, stride, rows, firstRow, scales, _tokens, order, segment.Tokens, scaleMemory, _output);
                break;
        }
    }
}
