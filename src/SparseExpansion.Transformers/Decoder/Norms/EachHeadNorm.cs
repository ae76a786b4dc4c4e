using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Norms;

/// <summary>A norm of its own for each head: [batch, heads, tokens, features] to the same shape.</summary>
internal sealed class EachHeadNorm : Module<Tensor, Tensor>
{
    private readonly ModuleList<Module<Tensor, Tensor>> norms;

    public EachHeadNorm(IEnumerable<Module<Tensor, Tensor>> heads) : base(nameof(EachHeadNorm))
    {
        norms = new ModuleList<Module<Tensor, Tensor>>([.. heads]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return stack(norms.Select((norm, head) => norm.call(input.select(1, head))), 1).MoveToOuterDisposeScope();
    }
}
