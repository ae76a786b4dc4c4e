using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace OwnModel;

/// <summary>Input of a model's blocks.</summary>
internal sealed record BlockInput(Tensor Hidden, Tensor Mask);

#region block-adapter
/// <summary>
/// Passes the model's tensors to a block that takes a record. The model calls the adapter, and <c>Blocks(…)</c> selects
/// it.
/// </summary>
internal sealed class BlockAdapter : Module<Tensor, Tensor, Tensor>
{
    private readonly Module<BlockInput, Tensor> block;

    public BlockAdapter(Module<BlockInput, Tensor> block)
        : base(nameof(BlockAdapter))
    {
        this.block = block;
        RegisterComponents();
    }

    public override Tensor forward(Tensor hidden, Tensor mask) => block.call(new BlockInput(hidden, mask));
}
#endregion
