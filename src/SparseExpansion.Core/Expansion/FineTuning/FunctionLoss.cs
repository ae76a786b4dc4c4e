using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>A user's function as a loss.</summary>
internal sealed class FunctionLoss(string name, Func<Tensor, Tensor, Tensor> compute) : IFineTuningLoss
{
    public Tensor Compute(Tensor outputs, Tensor denseOutputs) => compute(outputs, denseOutputs);

    public override string ToString() => name;
}
