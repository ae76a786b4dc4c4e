using SparseExpansion.Inference.Linears;
using SparseExpansion.Inference.Vectors;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>down(act(gate x) · up x), or down(act(up x)) without a gate.</summary>
/// <param name="activation">The non-linearity.</param>
/// <param name="inner">Gate and up, one linear of both in this order, or up alone.</param>
/// <param name="down">Projection back.</param>
internal sealed unsafe class DenseFeedForward(ActivationKind activation, Linear[] inner, Linear down) : FeedForward
{
    private readonly int _stride = inner.Sum(linear => linear.OutFeatures);

    private bool HasGate => _stride == 2 * down.InFeatures;

    /// <inheritdoc/>
    public override void Run(DecoderPass pass, float* input, int count, float* output)
    {
        float* between = pass.Reserve(PassMemory.Inner, (long)count * _stride);
        pass.Input.Set(input, inner[0].InFeatures, count);
        float* target = between;
        foreach (Linear linear in inner)
        {
            linear.Multiply(pass.Input, target, _stride);
            target += linear.OutFeatures;
        }

        Activate(between, count);
        pass.Input.Set(between, _stride, count);
        down.Multiply(pass.Input, output, down.OutFeatures);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Array.ForEach(inner, linear => linear.Dispose());
        down.Dispose();
    }

    private void Activate(float* rows, int count)
    {
        int width = down.InFeatures;
        for (int token = 0; token < count; token++, rows += _stride)
        {
            var first = new Span<float>(rows, width);
            if (HasGate)
            {
                Activations.ApplyGate(activation, first, new ReadOnlySpan<float>(rows + width, width));
            }
            else
            {
                Activations.Apply(activation, first);
            }
        }
    }
}
