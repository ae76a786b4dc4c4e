using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Target of products.</summary>
/// <param name="Matrix">[tokens, out_features], float32 or bfloat16.</param>
/// <param name="Bias">[out_features] in float32 or bfloat16, or <see cref="MatrixView.None"/>.</param>
internal readonly unsafe record struct TileOutput(MatrixView Matrix, MatrixView Bias)
{
    /// <summary>Writes the products of a token with consecutive rows.</summary>
    public void Write(int token, int firstRow, float* values, int rows)
    {
        if (Matrix.IsBFloat16 || Bias.IsBFloat16)
        {
            for (int row = 0; row < rows; row++)
            {
                Write(token, firstRow + row, values[row]);
            }

            return;
        }

        float* target = (float*)Matrix.Row(token) + firstRow, bias = (float*)Bias.Data + firstRow;
        bool hasBias = !Bias.IsNone;
        for (int row = 0; row < rows; row++)
        {
            target[row] = hasBias ? values[row] + bias[row] : values[row];
        }
    }

    /// <summary>Writes one product.</summary>
    public void Write(int token, int row, float value)
    {
        if (!Bias.IsNone)
        {
            value += Bias.IsBFloat16
                ? BFloat16Format.Load((byte*)Bias.Data, row)
                : ((float*)Bias.Data)[row];
        }

        byte* target = Matrix.Row(token);
        if (Matrix.IsBFloat16)
        {
            ((ushort*)target)[row] = BFloat16Format.Round(value);
        }
        else
        {
            ((float*)target)[row] = value;
        }
    }
}
