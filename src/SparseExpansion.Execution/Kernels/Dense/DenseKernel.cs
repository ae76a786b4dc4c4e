using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>
/// Products of rows with tokens, four rows at a time. A product has one vector of sums, whatever the number of tokens
/// beside it, so a token's result does not depend on which others it is computed with.
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

    /// <summary>output[token, row] = row · token + bias[row].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in DenseBlock block)
    {
        for (int row = 0; row < block.Rows; row += RowsAtATime)
        {
            // Rows beyond the last repeat it; their results are not written.
            int last = block.Rows - 1 - row;
            byte* first = block.Weight + row * block.WeightStride;
            byte* second = first + Math.Min(1, last) * block.WeightStride;
            byte* third = first + Math.Min(2, last) * block.WeightStride;
            byte* fourth = first + Math.Min(3, last) * block.WeightStride;
            int token = 0;
            while (token < block.Tokens)
            {
                int left = block.Tokens - token;
                float* input = block.Input + token * block.InputStride;
                if (left == 1)
                {
                    One(block, row, token++, first, second, third, fourth, input);
                }
                else if (left == 2 || !TLanes.HasManyRegisters)
                {
                    Two(block, row, token, first, second, third, fourth, input);
                    token += 2;
                }
                else
                {
                    Four(block, row, token, first, second, third, fourth, input);
                    token += 4;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* input)
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

        Finish(block, row, token, a, b, c, d, first, second, third, fourth, input, column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* input)
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

        Finish(block, row, token, a0, b0, c0, d0, first, second, third, fourth, input, column);
        Finish(block, row, token + 1, a1, b1, c1, d1, first, second, third, fourth, next, column);
    }

    // Three tokens are done as four, the last of them twice.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(
        in DenseBlock block, int row, int token, byte* first, byte* second, byte* third, byte* fourth, float* x0)
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

        Finish(block, row, token, a0, b0, c0, d0, first, second, third, fourth, x0, column);
        Finish(block, row, token + 1, a1, b1, c1, d1, first, second, third, fourth, x1, column);
        Finish(block, row, token + 2, a2, b2, c2, d2, first, second, third, fourth, x2, column);
        if (token + 3 < block.Tokens)
        {
            Finish(block, row, token + 3, a3, b3, c3, d3, first, second, third, fourth, x3, column);
        }
    }

    /// <summary>Adds up the lanes and the columns that fill no vector, and writes what belongs to rows.</summary>
    private static void Finish(
        in DenseBlock block, int row, int token, TVector a, TVector b, TVector c, TVector d,
        byte* first, byte* second, byte* third, byte* fourth, float* input, nint column)
    {
        float* sums = stackalloc float[RowsAtATime] { TLanes.Sum(a), TLanes.Sum(b), TLanes.Sum(c), TLanes.Sum(d) };
        for (; column < block.Columns; column++)
        {
            sums[0] += TFormat.Load(first, column) * input[column];
            sums[1] += TFormat.Load(second, column) * input[column];
            sums[2] += TFormat.Load(third, column) * input[column];
            sums[3] += TFormat.Load(fourth, column) * input[column];
        }

        float* output = block.Output + token * block.OutputStride + row;
        int rows = Math.Min(RowsAtATime, block.Rows - row);
        for (int i = 0; i < rows; i++)
        {
            output[i] = sums[i] + (block.Bias is null ? 0 : block.Bias[row + i]);
        }
    }
}
