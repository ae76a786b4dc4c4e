using SparseExpansion.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Two projections with a non-linearity between.</summary>
internal sealed class GptNeoXFeedForward : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> dense_h_to_4h;
    private readonly Module<Tensor, Tensor> dense_4h_to_h;
    private readonly ActivationKind _activation;

    public GptNeoXFeedForward(ModelConfig config, WeightPlacement placement) : base(nameof(GptNeoXFeedForward))
    {
        dense_h_to_4h = placement.Linear(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        dense_4h_to_h = placement.Linear(config.IntermediateSize, config.HiddenSize, config.FeedForwardBias);
        _activation = config.Activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return dense_4h_to_h.call(Activations.Apply(_activation, dense_h_to_4h.call(input))).MoveToOuterDisposeScope();
    }
}
