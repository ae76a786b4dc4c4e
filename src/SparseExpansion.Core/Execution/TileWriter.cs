using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution;

/// <summary>Brings tokens into the layout a kernel wants, as float32.</summary>
internal static unsafe class TileWriter
{
    /// <summary>Writes the blocks <paramref name="firstBlock"/> … <paramref name="endBlock"/> − 1 of a tile.</summary>
    /// <param name="order">Token numbers of the tile.</param>
    public static void Write(MatrixView tokens, int* order, int count, TileKernel kernel, PackedLayout layout, float* tile, int firstBlock, int endBlock)
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
        MatrixView tokens, int* order, int count, TileKernel kernel, PackedLayout layout, float* tile, int firstBlock, int endBlock)
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

            for (int lane = 0; lane < count; lane++)
            {
                byte* source = tokens.Row(order[lane]) + (long)first * TFormat.Size;
                switch (kernel.Layout)
                {
                    case TileLayout.TokenMajor:
                        Copy<TFormat>(source, target + lane * layout.BlockColumns, columns);
                        break;
                    case TileLayout.SplitPairs:
                        SplitPairs<TFormat>(source, target + lane * layout.BlockColumns, columns);
                        break;
                    default:
                        lane += Interleave<TFormat>(tokens, order, lane, count, first, target, columns, kernel.Lanes) - 1;
                        break;
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

    /// <summary>Writes four tokens by 4 × 4 transposition, or one; returns how many.</summary>
    private static int Interleave<TFormat>(MatrixView tokens, int* order, int lane, int count, int first, float* target, int columns, int lanes)
        where TFormat : struct, IWeightFormat
    {
        byte* row0 = tokens.Row(order[lane]) + (long)first * TFormat.Size;
        target += lane;
        if (lane + 4 > count)
        {
            for (int column = 0; column < columns; column++)
            {
                target[column * lanes] = TFormat.Load(row0, column);
            }

            return 1;
        }

        byte* row1 = tokens.Row(order[lane + 1]) + (long)first * TFormat.Size;
        byte* row2 = tokens.Row(order[lane + 2]) + (long)first * TFormat.Size;
        byte* row3 = tokens.Row(order[lane + 3]) + (long)first * TFormat.Size;
        int done = 0;
        for (; done <= columns - 4; done += 4)
        {
            Transpose(TFormat.Load4(row0, done), TFormat.Load4(row1, done), TFormat.Load4(row2, done), TFormat.Load4(row3, done), target + done * lanes, lanes);
        }

        for (; done < columns; done++)
        {
            target[done * lanes] = TFormat.Load(row0, done);
            target[done * lanes + 1] = TFormat.Load(row1, done);
            target[done * lanes + 2] = TFormat.Load(row2, done);
            target[done * lanes + 3] = TFormat.Load(row3, done);
        }

        return 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* target, int stride)
    {
        Vector128<float> ab0 = VectorPairs.Lower(a, b), ab1 = VectorPairs.Upper(a, b);
        Vector128<float> cd0 = VectorPairs.Lower(c, d), cd1 = VectorPairs.Upper(c, d);
        Vector128.Create(ab0.GetLower(), cd0.GetLower()).Store(target);
        Vector128.Create(ab0.GetUpper(), cd0.GetUpper()).Store(target + stride);
        Vector128.Create(ab1.GetLower(), cd1.GetLower()).Store(target + 2 * stride);
        Vector128.Create(ab1.GetUpper(), cd1.GetUpper()).Store(target + 3 * stride);
    }
}
