using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A block that is handed a mask and, perhaps, something else, and also gives its attention weights.</summary>
internal sealed class AttendingBlock : nn.Module<Tensor, Tensor, Tensor, (Tensor, Tensor)>
{
    private readonly AttentionCore core = new();

    public AttendingBlock()
        : base(nameof(AttendingBlock)) => RegisterComponents();

    public override (Tensor, Tensor) forward(Tensor hidden, Tensor mask, Tensor shift)
    {
        using var scope = NewDisposeScope();
        (Tensor output, Tensor weights) = core.Run(hidden, shift is null ? mask : mask.Plus(shift));
        return (output.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }
}
