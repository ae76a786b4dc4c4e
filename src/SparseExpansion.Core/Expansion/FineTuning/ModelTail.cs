using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>What comes after a block, up to the model's outputs.</summary>
/// <param name="forward">Runs the model.</param>
/// <param name="block">The block.</param>
/// <remarks>
/// Runs the whole model and exchanges the block's output on the way: where a model goes after its blocks is its own affair. What it does before
/// is thrown away and has no gradient.
/// </remarks>
internal sealed class ModelTail(Func<Tensor, Tensor> forward, nn.Module<Tensor, Tensor> block)
{
    /// <summary>The model's outputs.</summary>
    /// <param name="input">What the model is called with.</param>
    /// <param name="hidden">What the block shall have put out.</param>
    /// <returns>Outputs, with gradient for <paramref name="hidden"/> where it has one and gradients are on.</returns>
    public Tensor Run(Tensor input, Tensor hidden)
    {
        bool differentiates = is_grad_enabled();
        IDisposable? after = null;
        using var before = no_grad();
        var hook = block.register_forward_hook((_, _, _) =>
        {
            after ??= set_grad_enabled(differentiates);
            return hidden.alias();
        });
        try
        {
            return forward(input);
        }
        finally
        {
            hook.remove();
            after?.Dispose();
        }
    }
}
