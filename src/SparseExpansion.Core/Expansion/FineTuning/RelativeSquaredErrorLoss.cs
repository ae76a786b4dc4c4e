using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>‖Y − Ŷ‖² / ‖Y‖², in float32 whatever the block's dtype.</summary>
internal sealed class RelativeSquaredErrorLoss : IFineTuningLoss
{
    public Tensor Compute(Tensor outputs, Tensor denseOutputs)
    {
        using var scope = NewDisposeScope();
        ScalarType wide = FineTuningLoss.WideTypeOf(outputs);
        Tensor dense = denseOutputs.to(wide);
        Tensor energy = dense.Squared().sum().clamp_min(Scalars.Of(float.Epsilon));
        return ((outputs.to(wide) - dense).Squared().sum() / energy).MoveToOuterDisposeScope();
    }

    public override string ToString() => "relative squared error";
}
