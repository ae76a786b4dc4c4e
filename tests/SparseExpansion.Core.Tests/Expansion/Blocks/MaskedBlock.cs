using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A block that is handed its mask.</summary>
internal sealed class MaskedBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly AttentionCore core = new();

    public MaskedBlock()
        : base(nameof(MaskedBlock)) => RegisterComponents();

    public override Tensor forward(Tensor hidden, Tensor mask)
    {
        using var scope = NewDisposeScope();
        return core.Run(hidden, mask).Hidden.MoveToOuterDisposeScope();
    }
}
