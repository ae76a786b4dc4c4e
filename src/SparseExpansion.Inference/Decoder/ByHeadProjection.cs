using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Decoder;

/// <summary>One linear that gives query, key and value of the first head, then of the next.</summary>
/// <param name="linear">The linear.</param>
/// <param name="heads">Number of heads.</param>
/// <param name="width">Features of a head.</param>
internal sealed unsafe class ByHeadProjection(Linear linear, int heads, int width) : HeadProjection
{
    private const int Kinds = 3;

    /// <inheritdoc/>
    public override void Run(DecoderPass pass, float* target, nint stride)
    {
        float* rows = pass.Reserve(PassMemory.FusedHeads, (long)pass.Count * linear.OutFeatures);
        linear.Multiply(pass.Input, rows, linear.OutFeatures);
        for (int token = 0; token < pass.Count; token++, target += stride)
        {
            for (int part = 0; part < heads * Kinds; part++, rows += width)
            {
                nint place = ((nint)(part % Kinds) * heads) + (part / Kinds);
                new ReadOnlySpan<float>(rows, width).CopyTo(new Span<float>(target + place * width, width));
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => linear.Dispose();
}
