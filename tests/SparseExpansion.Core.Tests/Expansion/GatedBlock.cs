using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

internal sealed class GatedBlock : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> gate = nn.Linear(GatedModel.Width, GatedModel.Hidden, hasBias: false);
    private readonly nn.Module<Tensor, Tensor> up = nn.Linear(GatedModel.Width, GatedModel.Hidden);
    private readonly nn.Module<Tensor, Tensor> down = nn.Linear(GatedModel.Hidden, GatedModel.Width);

    public GatedBlock()
        : base(nameof(GatedBlock)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (input + down.call(nn.functional.silu(gate.call(input)) * up.call(input))).MoveToOuterDisposeScope();
    }
}
