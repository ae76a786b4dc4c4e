namespace SparseExpansion.Execution;

/// <summary>Brings finished accumulators of a panel to the output: sums partials, adds the bias, converts, scatters.</summary>
internal static unsafe class TileReader
{
    /// <param name="order">Token numbers of the tile.</param>
    /// <param name="bias">[rows of the panel] float32, or null.</param>
    public static void Read(float* accumulators, TileKernel kernel, int* order, int count, MatrixView output, int firstRow, int rows, float* bias)
    {
        for (int lane = 0; lane < count; lane++)
        {
            float* source = accumulators + lane * kernel.LaneStride;
            byte* target = output.Row(order[lane]) + (long)firstRow * output.ElementSize;
            for (int row = 0; row < rows; row++, source += kernel.Width)
            {
                float sum = source[0];
                for (int partial = 1; partial < kernel.Partials; partial++)
                {
                    sum += source[partial * kernel.PartialStride];
                }

                sum += bias is null ? 0f : bias[row];
                if (output.IsBFloat16)
                {
                    ((ushort*)target)[row] = BFloat16Format.Round(sum);
                }
                else
                {
                    ((float*)target)[row] = sum;
                }
            }
        }
    }
}
