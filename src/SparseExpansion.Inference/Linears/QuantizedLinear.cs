using SparseExpansion.Execution;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Inference.Linears;

/// <summary>A dense weight in codes of a few bits.</summary>
/// <param name="weight">[out_features, in_features]; taken over.</param>
/// <param name="bias">[out_features] float32, or null; taken over.</param>
internal sealed unsafe class QuantizedLinear(QuantizedWeight weight, NativeArray? bias)
    : MatrixLinear(weight.Columns, weight.Rows)
{
    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, float* output, nint stride)
    {
        if (tokens.UsesCodes)
        {
            tokens.Codes.Run(
                weight, tokens.Order, tokens.Rounded(InFeatures),
                new MatrixView((nint)output, stride, ElementType.Float32),
                bias is null ? MatrixView.None : new MatrixView(bias.Address, 0, ElementType.Float32));
        }
        else
        {
            DecodedProduct.Run(weight, bias is null ? null : (float*)bias.Address, tokens, output, stride);
        }
    }

    /// <inheritdoc/>
    public override void ReadRow(int row, Span<float> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, InFeatures, nameof(target));
        weight.Dequantize(row, target);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        weight.Dispose();
        bias?.Dispose();
    }
}
