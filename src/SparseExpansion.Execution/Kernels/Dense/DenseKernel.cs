using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>
/// Products of rows with tokens, four rows and so many columns at a time that they stay in the first-level cache while
/// all tokens pass by. A product has one vector of sums in each of these blocks, and the blocks are added up in their
/// order, whatever the number of tokens beside it: a token's result does not depend on which others it is computed with.
/// </summary>
internal static unsafe class DenseKernel<TFormat, TLanes, TVector>
    where TFormat : struct, IValueFormat
    where TLanes : struct, IDenseLanes<TVector>
    where TVector : struct
{
    private const int RowsAtATime = 4;

    // Far enough for the memory's latency at a core's share of the bandwidth; the hardware's prefetchers
    // stop at 4 KB boundaries.
    private const int PrefetchBytes = 1024;

    // Rows up to so many bytes are over before the hardware has seen a stream; the next ones are asked for at once.
    private const int ShortRowBytes = 1024;
    private const int LineBytes = 64;

    private const int SumsAtATime = 16;

    // Four rows take 16 KB.
    private const int BlockColumns = 1024;

    /// <summary>output[token, row] = row · token + bias[row].</summary>
    public static void Run(in DenseBlock block)
    {
        for (int token = 0; token < block.Tokens; token++)
        {
            Begin(block, block.Output + token * block.OutputStride);
        }

        float* sums = stackalloc float[SumsAtATime * TLanes.Width];

        // A single token uses every weight once, so it reads them in the order in which they lie in memory.
        if (block.Tokens == 1)
        {
            for (int row = 0; row < block.Rows; row += RowsAtATime)
            {
                for (int column = 0; column < block.Columns; column += BlockColumns)
                {
                    AddRows(Part(block, column), row, sums);
                }
            }

            return;
        }

        for (int column = 0; column < block.Columns; column += BlockColumns)
        {
            DenseBlock part = Part(block, column);
            for (int row = 0; row < block.Rows; row += RowsAtATime)
            {
                AddRows(part, row, sums);
            }
        }
    }

    private static void Begin(in DenseBlock block, float* output)
    {
        var target = new Span<float>(output, block.Rows);
        if (block.Bias is null)
        {
            target.Clear();
        }
        else
        {
            new ReadOnlySpan<float>(block.Bias, block.Rows).CopyTo(target);
        }
    }

    private static DenseBlock Part(in DenseBlock block, int column)
    {
        DenseBlock part = block;
        part.Weight += (nint)column * TFormat.Size;
        part.Input += column;
        part.Columns = Math.Min(BlockColumns, block.Columns - column);
        return part;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(in DenseBlock block, int row, float* sums)
    {
        // Rows beyond the last repeat it; their results are not written.
        int last = block.Rows - 1 - row;
        byte* first = block.Weight + row * block.WeightStride;
        byte* second = first + Math.Min(1, last) * block.WeightStride;
        byte* third = first + Math.Min(2, last) * block.WeightStride;
        byte* fourth = first + Math.Min(3, last) * block.WeightStride;
        PrefetchNext(block, first);
        int token = 0;
        while (token < block.Tokens)
        {
            int left = block.Tokens - token;
            float* input = block.Input + token * block.InputStride;
            if (left == 1)
            {
                One(block, row, token++, first, second, third, fourth, input, sums);
            }
            else if (left == 2 || !TLanes.HasManyRegisters)
            {
                Two(block, row, token, first, second, third, fourth, input, sums);
                token += 2;
            }
            else
            {
                Four(block, row, token, first, second, third, fourth, input, sums);
                token += 4;
            }
        }
    }

    private static void PrefetchNext(in DenseBlock block, byte* rows)
    {
        if (Sse.IsSupported && block.WeightStride <= ShortRowBytes)
        {
            nint bytes = RowsAtATime * block.WeightStride;
            for (nint offset = bytes; offset < 2 * bytes; offset += LineBytes)
            {
                Sse.Prefetch0(rows + offset);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* input,
        float* sums)
    {
        TVector a = TLanes.Zero, b = TLanes.Zero, c = TLanes.Zero, d = TLanes.Zero;
        nint columns = block.Columns, whole = columns - (columns % TLanes.Width), column = 0;
        for (; column < whole; column += TLanes.Width)
        {
            if (Sse.IsSupported)
            {
                nint ahead = (column * TFormat.Size) + PrefetchBytes;
                Sse.Prefetch0(first + ahead);
                Sse.Prefetch0(second + ahead);
                Sse.Prefetch0(third + ahead);
                Sse.Prefetch0(fourth + ahead);
            }

            TVector x = TLanes.Load(input + column);
            a = TLanes.MultiplyAdd(TLanes.Load<TFormat>(first, column), x, a);
            b = TLanes.MultiplyAdd(TLanes.Load<TFormat>(second, column), x, b);
            c = TLanes.MultiplyAdd(TLanes.Load<TFormat>(third, column), x, c);
            d = TLanes.MultiplyAdd(TLanes.Load<TFormat>(fourth, column), x, d);
        }

        Store(sums, a, b, c, d);
        Finish(block, row, token, sums, first, second, third, fourth, input, column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* input,
        float* sums)
    {
        TVector a0 = TLanes.Zero, b0 = TLanes.Zero, c0 = TLanes.Zero, d0 = TLanes.Zero;
        TVector a1 = TLanes.Zero, b1 = TLanes.Zero, c1 = TLanes.Zero, d1 = TLanes.Zero;
        nint columns = block.Columns, whole = columns - (columns % TLanes.Width), column = 0;
        float* next = input + block.InputStride;
        for (; column < whole; column += TLanes.Width)
        {
            TVector x = TLanes.Load(input + column), y = TLanes.Load(next + column);
            TVector weight = TLanes.Load<TFormat>(first, column);
            a0 = TLanes.MultiplyAdd(weight, x, a0);
            a1 = TLanes.MultiplyAdd(weight, y, a1);
            weight = TLanes.Load<TFormat>(second, column);
            b0 = TLanes.MultiplyAdd(weight, x, b0);
            b1 = TLanes.MultiplyAdd(weight, y, b1);
            weight = TLanes.Load<TFormat>(third, column);
            c0 = TLanes.MultiplyAdd(weight, x, c0);
            c1 = TLanes.MultiplyAdd(weight, y, c1);
            weight = TLanes.Load<TFormat>(fourth, column);
            d0 = TLanes.MultiplyAdd(weight, x, d0);
            d1 = TLanes.MultiplyAdd(weight, y, d1);
        }

        // All of them before a call: what lives across one would be spilled inside of the loop.
        float* others = sums + (RowsAtATime * TLanes.Width);
        Store(sums, a0, b0, c0, d0);
        Store(others, a1, b1, c1, d1);
        Finish(block, row, token, sums, first, second, third, fourth, input, column);
        Finish(block, row, token + 1, others, first, second, third, fourth, next, column);
    }

    // Three tokens are done as four, the last of them twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* x0,
        float* sums)
    {
        TVector a0 = TLanes.Zero, b0 = TLanes.Zero, c0 = TLanes.Zero, d0 = TLanes.Zero;
        TVector a1 = TLanes.Zero, b1 = TLanes.Zero, c1 = TLanes.Zero, d1 = TLanes.Zero;
        TVector a2 = TLanes.Zero, b2 = TLanes.Zero, c2 = TLanes.Zero, d2 = TLanes.Zero;
        TVector a3 = TLanes.Zero, b3 = TLanes.Zero, c3 = TLanes.Zero, d3 = TLanes.Zero;
        float* x1 = x0 + block.InputStride, x2 = x1 + block.InputStride;
        float* x3 = token + 3 < block.Tokens ? x2 + block.InputStride : x2;
        nint columns = block.Columns, whole = columns - (columns % TLanes.Width), column = 0;
        for (; column < whole; column += TLanes.Width)
        {
            TVector x = TLanes.Load(x0 + column), y = TLanes.Load(x1 + column);
            TVector z = TLanes.Load(x2 + column), v = TLanes.Load(x3 + column);
            TVector weight = TLanes.Load<TFormat>(first, column);
            a0 = TLanes.MultiplyAdd(weight, x, a0);
            a1 = TLanes.MultiplyAdd(weight, y, a1);
            a2 = TLanes.MultiplyAdd(weight, z, a2);
            a3 = TLanes.MultiplyAdd(weight, v, a3);
            weight = TLanes.Load<TFormat>(second, column);
            b0 = TLanes.MultiplyAdd(weight, x, b0);
            b1 = TLanes.MultiplyAdd(weight, y, b1);
            b2 = TLanes.MultiplyAdd(weight, z, b2);
            b3 = TLanes.MultiplyAdd(weight, v, b3);
            weight = TLanes.Load<TFormat>(third, column);
            c0 = TLanes.MultiplyAdd(weight, x, c0);
            c1 = TLanes.MultiplyAdd(weight, y, c1);
            c2 = TLanes.MultiplyAdd(weight, z, c2);
            c3 = TLanes.MultiplyAdd(weight, v, c3);
            weight = TLanes.Load<TFormat>(fourth, column);
            d0 = TLanes.MultiplyAdd(weight, x, d0);
            d1 = TLanes.MultiplyAdd(weight, y, d1);
            d2 = TLanes.MultiplyAdd(weight, z, d2);
            d3 = TLanes.MultiplyAdd(weight, v, d3);
        }

        int token1 = RowsAtATime * TLanes.Width;
        Store(sums, a0, b0, c0, d0);
        Store(sums + token1, a1, b1, c1, d1);
        Store(sums + (2 * token1), a2, b2, c2, d2);
        Store(sums + (3 * token1), a3, b3, c3, d3);
        Finish(block, row, token, sums, first, second, third, fourth, x0, column);
        Finish(block, row, token + 1, sums + token1, first, second, third, fourth, x1, column);
        Finish(block, row, token + 2, sums + (2 * token1), first, second, third, fourth, x2, column);
        if (token + 3 < block.Tokens)
        {
            Finish(block, row, token + 3, sums + (3 * token1), first, second, third, fourth, x3, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* sums, TVector a, TVector b, TVector c, TVector d)
    {
        TLanes.Store(a, sums);
        TLanes.Store(b, sums + TLanes.Width);
        TLanes.Store(c, sums + (2 * TLanes.Width));
        TLanes.Store(d, sums + (3 * TLanes.Width));
    }

    /// <summary>
    /// Adds up the lanes and the columns that fill no vector, and adds to the output what belongs to rows.
    /// </summary>
    private static void Finish(
        in DenseBlock block, int row, int token, float* sums, byte* first, byte* second, byte* third, byte* fourth,
        float* input, nint column)
    {
        float* output = block.Output + token * block.OutputStride + row;
        int rows = block.Rows - row;
        output[0] += Total(block, sums, first, input, column);
        if (rows > 1)
        {
            output[1] += Total(block, sums + TLanes.Width, second, input, column);
        }

        if (rows > 2)
        {
            output[2] += Total(block, sums + (2 * TLanes.Width), third, input, column);
        }

        if (rows > 3)
        {
            output[3] += Total(block, sums + (3 * TLanes.Width), fourth, input, column);
        }
    }

    private static float Total(in DenseBlock block, float* sums, byte* row, float* input, nint column)
    {
        float total = TLanes.Sum(TLanes.Load(sums));
        for (; column < block.Columns; column++)
        {
            total += TFormat.Load(row, column) * input[column];
        }

        return total;
    }
}
