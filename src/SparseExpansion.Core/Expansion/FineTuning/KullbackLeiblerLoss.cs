using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>
/// KL(dense ‖ expanded) of the distributions that logits describe, the mean over all positions; in float32 whatever the
/// model's dtype.
/// </summary>
internal sealed class KullbackLeiblerLoss : IFineTuningLoss
{
    public Tensor Compute(Tensor outputs, Tensor denseOutputs)
    {
        using var scope = NewDisposeScope();
        ScalarType wide = FineTuningLoss.WideTypeOf(outputs);
        Tensor expanded = nn.functional.log_softmax(outputs.to(wide), -1), dense = nn.functional.log_softmax(denseOutputs.to(wide), -1);
        return (dense.exp() * (dense - expanded)).sum(-1).mean().MoveToOuterDisposeScope();
    }

    public override string ToString() => "Kullback-Leibler divergence";
}
