using SparseExpansion.Transformers.Decoder.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Norms;

/// <summary>Layer norm with a weight, and a bias where the model has one (Ba et al. 2016).</summary>
internal sealed class LayerNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly double _epsilon;

    public LayerNorm(long size, double epsilon, bool hasBias, WeightPlacement placement) : base(nameof(LayerNorm))
    {
        weight = placement.Empty(size);
        bias = hasBias ? placement.Empty(size) : null;
        _epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) =>
        functional.layer_norm(input, [weight.size(0)], weight, bias!, _epsilon);
}
