using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Two residual blocks with a norm before their linears.</summary>
internal sealed class NormedModel : nn.Module<Tensor, Tensor>
{
    public readonly ModuleList<NormedBlock> blocks;

    public NormedModel()
        : base(nameof(NormedModel))
    {
        manual_seed(3);
        blocks = nn.ModuleList(new NormedBlock(), new NormedBlock());
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return blocks.Aggregate(input, (state, block) => block.call(state)).MoveToOuterDisposeScope();
    }

    public sealed class NormedBlock : nn.Module<Tensor, Tensor>
    {
        public readonly LayerNorm norm = nn.LayerNorm(GatedModel.Width);
        private readonly nn.Module<Tensor, Tensor> up = nn.Linear(GatedModel.Width, GatedModel.Hidden);
        private readonly Linear down = nn.Linear(GatedModel.Hidden, GatedModel.Width);

        public NormedBlock()
            : base(nameof(NormedBlock)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return (input + down.call(nn.functional.silu(up.call(norm.call(input))))).MoveToOuterDisposeScope();
        }
    }
}
