using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Tiling;

/// <summary>Brings tokens into the layout a kernel wants, as float32.</summary>
internal static unsafe class TileWriter
{
    /// <summary>
    /// Writes the blocks <paramref name="firstBlock"/> … <paramref name="endBlock"/> − 1 of a tile.
    /// </summary>
    /// <param name="order">Token numbers of the tile.</param>
    public static void Write(
        MatrixView tokens, int* order, int count, TileKernel kernel, PackedLayout layout, float* tile, int firstBlock,
        int endBlock)
    {
        if (tokens.IsBFloat16)
        {
            Write<BFloat16Format>(tokens, order, count, kernel, layout, tile, firstBlock, endBlock);
        }
        else
        {
            Write<Float32Format>(tokens, order, count, kernel, layout, tile, firstBlock, endBlock);
        }
    }

    private static void Write<TFormat>(
        MatrixView tokens, int* order, int count, TileKernel kernel, PackedLayout layout, float* tile, int firstBlock,
        int endBlock)
        where TFormat : struct, IWeightFormat
    {
        for (int block = firstBlock; block < endBlock; block++)
        {
            int first = block * layout.BlockColumns;
            int columns = Math.Min(layout.BlockColumns, layout.Columns - first);
            float* target = tile + (long)first * kernel.Lanes;
            if (columns < layout.BlockColumns || count < kernel.Lanes)
            {
                new Span<float>(target, layout.BlockColumns * kernel.Lanes).Clear();
            }

            if (kernel.Layout == TileLayout.Interleaved)
            {
                Interleave<TFormat>(tokens, order, count, first, target, columns, kernel.Lanes);
                continue;
            }

            for (int lane = 0; lane < count; lane++, target += layout.BlockColumns)
            {
                byte* source = tokens.Row(order[lane]) + (long)first * TFormat.Size;
                if (kernel.Layout == TileLayout.TokenMajor)
                {
                    Copy<TFormat>(source, target, columns);
                }
                else
                {
                    SplitPairs<TFormat>(source, target, columns);
                }
            }
        }
    }

    private static void Copy<TFormat>(byte* source, float* target, int columns)
        where TFormat : struct, IWeightFormat
    {
        int column = 0;
        for (; column <= columns - 4; column += 4)
        {
            TFormat.Load4(source, column).Store(target + column);
        }

        for (; column < columns; column++)
        {
            target[column] = TFormat.Load(source, column);
        }
    }

    private static void SplitPairs<TFormat>(byte* source, float* target, int columns)
        where TFormat : struct, IWeightFormat
    {
        for (int column = 0; column < columns; column++)
        {
            target[(column & ~31) + (column & 1) * 16 + (column & 31) / 2] = TFormat.Load(source, column);
        }
    }

    // Sixteen columns of all tokens at a time: every cache line, read or written, is finished before the next one.
    private static void Interleave<TFormat>(
        MatrixView tokens, int* order, int count, int first, float* target, int columns, int lanes)
        where TFormat : struct, IWeightFormat
    {
        const int Strip = 16;
        for (int column = 0; column < columns; column += Strip)
        {
            int end = Math.Min(column + Strip, columns);
            int lane = 0;
            for (; lane <= count - 4; lane += 4)
            {
                InterleaveFour<TFormat>(
                    Source<TFormat>(tokens, order[lane], first), Source<TFormat>(tokens, order[lane + 1], first),
                    Source<TFormat>(tokens, order[lane + 2], first), Source<TFormat>(tokens, order[lane + 3], first),
                    target + lane, column, end, lanes);
            }

            for (; lane < count; lane++)
            {
                byte* row = Source<TFormat>(tokens, order[lane], first);
                for (int c = column; c < end; c++)
                {
                    target[c * lanes + lane] = TFormat.Load(row, c);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Source<TFormat>(MatrixView tokens, int token, int column)
        where TFormat : struct, IWeightFormat =>
        tokens.Row(token) + (long)column * TFormat.Size;

    private static void InterleaveFour<TFormat>(
        byte* row0, byte* row1, byte* row2, byte* row3, float* target, int column, int end, int lanes)
        where TFormat : struct, IWeightFormat
    {
        for (; column <= end - 4; column += 4)
        {
            Transpose(
                TFormat.Load4(row0, column), TFormat.Load4(row1, column), TFormat.Load4(row2, column),
                TFormat.Load4(row3, column), target + column * lanes, lanes);
        }

        for (; column < end; column++)
        {
            target[column * lanes] = TFormat.Load(row0, column);
            target[column * lanes + 1] = TFormat.Load(row1, column);
            target[column * lanes + 2] = TFormat.Load(row2, column);
            target[column * lanes + 3] = TFormat.Load(row3, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* target, int stride)
    {
        (a, b, c, d) = VectorPairs.Transpose(a, b, c, d);
        a.Store(target);
        b.Store(target + stride);
        c.Store(target + 2 * stride);
        d.Store(target + 3 * stride);
    }
}
