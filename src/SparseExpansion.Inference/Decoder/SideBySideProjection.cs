using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Decoder;

/// <summary>Linears whose results stand side by side: three, or one of all rows in this order.</summary>
internal sealed unsafe class SideBySideProjection(params Linear[] linears) : HeadProjection
{
    /// <inheritdoc/>
    public override void Run(DecoderPass pass, float* target, nint stride)
    {
        foreach (Linear linear in linears)
        {
            linear.Multiply(pass.Input, target, stride);
            target += linear.OutFeatures;
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => Array.ForEach(linears, linear => linear.Dispose());
}
