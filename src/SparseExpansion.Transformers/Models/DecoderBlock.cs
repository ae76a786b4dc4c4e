using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>
/// One transformer block. Called with hidden states [batch, sequence, hidden] it applies the causal mask and rotary
/// positions from 0
/// on its own, so that it can be run apart from its model.
/// </summary>
public abstract class DecoderBlock : Module<Tensor, Tensor>
{
    private protected DecoderBlock(string name) : base(name) { }

    /// <summary>Runs the block on whole sequences.</summary>
    /// <param name="input">Hidden states [batch, sequence, hidden].</param>
    /// <returns>Hidden states of the same shape and dtype, a new tensor.</returns>
    public override Tensor forward(Tensor input) => Run(input, null);

    /// <summary>Runs the block on the tokens that follow those in the cache, and adds them to it.</summary>
    internal abstract Tensor Run(Tensor input, KeyValueCache? cache);
}
