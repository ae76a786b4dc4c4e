using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Norms;

/// <summary>
/// Root-mean-square norm (Zhang &amp; Sennrich 2019): (c + w) · x / sqrt(mean(x²) + ε), the quotient in float32 for
/// every dtype; for c = 1 the product too.
/// </summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _epsilon;
    private readonly double _center;

    public RmsNorm(long size, double epsilon, double center, WeightPlacement placement) : base(nameof(RmsNorm))
    {
        weight = placement.Empty(size);
        (_epsilon, _center) = (epsilon, center);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor wide = input.to(float32);
        Tensor scale = wide.Squared().mean([-1], keepdim: true).Plus(_epsilon).rsqrt();
        Tensor result = _center == 0
            ? weight * (wide * scale).to(input.dtype)
            : (weight.to(float32).Plus(_center) * (wide * scale)).to(input.dtype);
        return result.MoveToOuterDisposeScope();
    }
}
