using SparseExpansion.Execution;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Strips;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Inference.Linears;

/// <summary>A dense weight in codes of a few bits.</summary>
/// <param name="weight">[out_features, in_features]; taken over.</param>
/// <param name="bias">[out_features] float32, or null; taken over.</param>
internal sealed unsafe class QuantizedLinear(QuantizedWeight weight, NativeArray? bias)
    : MatrixLinear(weight.Columns, weight.Rows), ICodedLinear
{
    private StripWeight? _strips;

    /// <inheritdoc/>
    public bool HasMasks => false;

    /// <inheritdoc/>
    public long RearrangedBytes =>
        _strips is not null || weight.Bits > StripPacker.MostBits ? 0 : StripLayout.For(weight.Grid).Bytes;

    private MatrixView Bias => bias is null ? MatrixView.None : new MatrixView(bias.Address, 0, ElementType.Float32);

    /// <inheritdoc/>
    public void Rearrange()
    {
        _strips = StripPacker.Of(weight, LowBitPaths.Best);
        Pages.Release(weight.Codes);
        weight.Dispose();
    }

    /// <inheritdoc/>
    public override void Multiply(TokenBlock tokens, float* output, nint stride)
    {
        var target = new MatrixView((nint)output, stride, ElementType.Float32);
        if (_strips is not null)
        {
            tokens.Codes.Run(_strips, tokens.Order, tokens.Rounded(InFeatures), target, Bias);
        }
        else if (tokens.UsesCodes)
        {
            tokens.Codes.Run(weight, tokens.Order, tokens.Rounded(InFeatures), target, Bias);
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
        if (_strips is not null)
        {
            _strips.DecodeRow(row, target);
        }
        else
        {
            weight.Dequantize(row, target);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _strips?.Dispose();
        weight.Dispose();
        bias?.Dispose();
    }
}
