using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Layer norm with weight and bias (Ba et al. 2016).</summary>
internal sealed class BiasedLayerNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly double _epsilon;

    public BiasedLayerNorm(int size, double epsilon, WeightPlacement placement) : base(nameof(BiasedLayerNorm))
    {
        weight = placement.Empty(size);
        bias = placement.Empty(size);
        _epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) =>
        functional.layer_norm(input, [weight.size(0)], weight, bias, _epsilon);
}
