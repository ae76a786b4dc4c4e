using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>
/// Root-mean-square norm (Zhang &amp; Sennrich 2019): w · x / sqrt(mean(x²) + ε), the quotient in float32 for every
/// dtype.
/// </summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _epsilon;

    public RmsNorm(int size, double epsilon, WeightPlacement placement) : base(nameof(RmsNorm))
    {
        weight = placement.Empty(size);
        _epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor wide = input.to(float32);
        Tensor scale = wide.Squared().mean([-1], keepdim: true).Plus(_epsilon).rsqrt();
        return (weight * (wide * scale).to(input.dtype)).MoveToOuterDisposeScope();
    }
}
