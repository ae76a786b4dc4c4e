using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Two residual blocks with a norm before their linears.</summary>
internal sealed class NormedModel : nn.Module<Tensor, Tensor>
{
    public readonly ModuleList<NormedBlock> blocks;

    public NormedModel(bool sharedNorm = false)
        : base(nameof(NormedModel))
    {
        manual_seed(3);
        var first = new NormedBlock(nn.LayerNorm(GatedModel.Width));
        blocks = nn.ModuleList(first, new NormedBlock(sharedNorm ? first.norm : nn.LayerNorm(GatedModel.Width)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return blocks.Aggregate(input, (state, block) => block.call(state)).MoveToOuterDisposeScope();
    }

    public sealed class NormedBlock : nn.Module<Tensor, Tensor>
    {
        public readonly LayerNorm norm;
        private readonly nn.Module<Tensor, Tensor> up = nn.Linear(GatedModel.Width, GatedModel.Hidden);
        private readonly Linear down = nn.Linear(GatedModel.Hidden, GatedModel.Width);

        public NormedBlock(LayerNorm norm)
            : base(nameof(NormedBlock))
        {
            this.norm = norm;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return input.Plus(down.call(nn.functional.silu(up.call(norm.call(input))))).MoveToOuterDisposeScope();
        }
    }
}
