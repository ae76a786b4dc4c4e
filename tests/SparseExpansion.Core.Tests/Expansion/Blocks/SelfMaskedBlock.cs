using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A block that makes its causal mask itself.</summary>
internal sealed class SelfMaskedBlock : nn.Module<Tensor, Tensor>
{
    private readonly AttentionCore core = new();

    public SelfMaskedBlock()
        : base(nameof(SelfMaskedBlock)) => RegisterComponents();

    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return core.Run(hidden, MaskedModel.Causal(hidden)).Hidden.MoveToOuterDisposeScope();
    }
}
