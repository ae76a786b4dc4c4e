using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

internal sealed class GatedBlock : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> gate = nn.Linear(GatedModel.Width, GatedModel.Hidden, hasBias: false);
    private readonly nn.Module<Tensor, Tensor> up = nn.Linear(GatedModel.Width, GatedModel.Hidden);
    private readonly nn.Module<Tensor, Tensor> down = nn.Linear(GatedModel.Hidden, GatedModel.Width);

    private readonly nn.Module<Tensor, Tensor> norm;

    public GatedBlock(bool normalized = false)
        : base(nameof(GatedBlock))
    {
        norm = normalized ? nn.LayerNorm(GatedModel.Width) : nn.Identity();
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor entering = norm.call(input);
        return input.Plus(down.call(nn.functional.silu(gate.call(entering)) * up.call(entering)))
            .MoveToOuterDisposeScope();
    }
}
