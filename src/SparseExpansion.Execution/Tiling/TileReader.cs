using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// Brings finished accumulators of a panel to the output: sums partials, adds the bias, converts, scatters.
/// </summary>
internal static unsafe class TileReader
{
    /// <param name="order">Token numbers of the tile.</param>
    /// <param name="bias">[rows of the panel] float32, or null.</param>
    public static void Read(
        float* accumulators, TileKernel kernel, int* order, int count, MatrixView output, int firstRow, int rows,
        float* bias)
    {
        int lane = 0;
        if (kernel.Partials == 1 && kernel.Layout == TileLayout.Interleaved && !output.IsBFloat16)
        {
            for (; lane <= count - 4; lane += 4)
            {
                ReadFour(accumulators + lane, kernel.Width, order + lane, output, firstRow, rows, bias);
            }
        }

        for (; lane < count; lane++)
        {
            ReadOne(
                accumulators + lane * kernel.LaneStride, kernel, output.Row(order[lane]), output.IsBFloat16, firstRow,
                rows, bias);
        }
    }

    /// <summary>Four tokens, four rows at a time: every cache line is read once.</summary>
    private static void ReadFour(
        float* source, int width, int* order, MatrixView output, int firstRow, int rows, float* bias)
    {
        float* target0 = (float*)output.Row(order[0]) + firstRow, target1 = (float*)output.Row(order[1]) + firstRow;
        float* target2 = (float*)output.Row(order[2]) + firstRow, target3 = (float*)output.Row(order[3]) + firstRow;
        int row = 0;
        for (; row <= rows - 4; row += 4, source += 4 * width)
        {
            Vector128<float> added = bias is null ? Vector128<float>.Zero : Vector128.Load(bias + row);
            (Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) = VectorPairs.Transpose(
                Vector128.Load(source), Vector128.Load(source + width), Vector128.Load(source + 2 * width),
                Vector128.Load(source + 3 * width));
            (a + added).Store(target0 + row);
            (b + added).Store(target1 + row);
            (c + added).Store(target2 + row);
            (d + added).Store(target3 + row);
        }

        for (; row < rows; row++, source += width)
        {
            float added = bias is null ? 0f : bias[row];
            target0[row] = source[0] + added;
            target1[row] = source[1] + added;
            target2[row] = source[2] + added;
            target3[row] = source[3] + added;
        }
    }

    private static void ReadOne(
        float* source, TileKernel kernel, byte* target, bool bfloat16, int firstRow, int rows, float* bias)
    {
        for (int row = 0; row < rows; row++, source += kernel.Width)
        {
            float sum = SumPartials(source, kernel.Partials, kernel.PartialStride);
            sum += bias is null ? 0f : bias[row];
            if (bfloat16)
            {
                ((ushort*)target)[firstRow + row] = BFloat16Format.Round(sum);
            }
            else
            {
                ((float*)target)[firstRow + row] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumPartials(float* source, int partials, int stride)
    {
        if (stride == 1 && partials % 4 == 0)
        {
            Vector128<float> four = Vector128.Load(source);
            for (int partial = 4; partial < partials; partial += 4)
            {
                four += Vector128.Load(source + partial);
            }

            return Vector128.Sum(four);
        }

        float sum = source[0];
        for (int partial = 1; partial < partials; partial++)
        {
            sum += source[partial * stride];
        }

        return sum;
    }
}
