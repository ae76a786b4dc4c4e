using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CustomPruner;

/// <summary>
/// A gated feed-forward network: down(silu(gate x) · up x). The gate and the up projection read the same tensor.
/// </summary>
internal sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> gate;
    private readonly Module<Tensor, Tensor> up;
    private readonly Module<Tensor, Tensor> down;

    public FeedForward(long width, long inner)
        : base(nameof(FeedForward))
    {
        gate = Linear(width, inner, hasBias: false);
        up = Linear(width, inner, hasBias: false);
        down = Linear(inner, width, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return down.call(functional.silu(gate.call(input)) * up.call(input)).MoveToOuterDisposeScope();
    }
}
