using SparseExpansion.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>down(act(gate x) · up x).</summary>
internal sealed class LlamaFeedForward : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> gate_proj;
    private readonly Module<Tensor, Tensor> up_proj;
    private readonly Module<Tensor, Tensor> down_proj;
    private readonly ActivationKind _activation;

    public LlamaFeedForward(ModelConfig config, WeightPlacement placement) : base(nameof(LlamaFeedForward))
    {
        gate_proj = placement.Linear(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        up_proj = placement.Linear(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        down_proj = placement.Linear(config.IntermediateSize, config.HiddenSize, config.FeedForwardBias);
        _activation = config.Activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor gate = Activations.Apply(_activation, gate_proj.call(input));
        return down_proj.call(gate * up_proj.call(input)).MoveToOuterDisposeScope();
    }
}
