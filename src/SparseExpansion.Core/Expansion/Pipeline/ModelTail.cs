using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Internal.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Part of the model after a block, up to the model's outputs.</summary>
/// <param name="forward">Runs the model.</param>
/// <param name="block">The module in the place of the block.</param>
/// <remarks>
/// Runs the whole model and exchanges the block's output on the way: where a model goes after its blocks is its own
/// affair. What it does before is thrown away and has no gradient, so that it is enough to do it for one position, see
/// <see cref="Shorten"/>.
/// </remarks>
internal sealed class ModelTail(Func<Tensor, Tensor> forward, Func<Block> block)
{
    /// <summary>Part of the model after a block that stays in its place.</summary>
    public ModelTail(Func<Tensor, Tensor> forward, Block block)
        : this(forward, () => block)
    {
    }

    /// <summary>True if only the first position of an input is run through what comes before the block.</summary>
    public bool IsShort { get; private set; }

    /// <summary>The model's outputs.</summary>
    /// <param name="input">Input of the model.</param>
    /// <param name="hidden">Output that the block is taken to have given.</param>
    /// <returns>Outputs, with gradient for <paramref name="hidden"/> where it has one and gradients are on.</returns>
    public Tensor Run(Tensor input, Tensor hidden)
    {
        using Tensor? first = IsShort ? input.narrow(1, 0, 1) : null;
        return Exchange(first ?? input, hidden);
    }

    /// <summary>
    /// From now on runs the first position alone through what comes before the block, if for every one of the batches
    /// the outputs stay the same, bit by bit. They do unless the model looks at its input again after the block.
    /// </summary>
    /// <param name="batches">All batches that outputs will be asked for: each makes the input of the model and the
    /// output of the block, for the current dispose scope.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    public void Shorten(IEnumerable<Func<(Tensor Input, Tensor Hidden)>> batches, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        foreach (Func<(Tensor Input, Tensor Hidden)> read in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            (Tensor input, Tensor hidden) = read();
            if (!FirstPositionIsEnough(input, hidden))
            {
                return;
            }
        }

        IsShort = true;
    }

    private bool FirstPositionIsEnough(Tensor input, Tensor hidden)
    {
        if (input.Dimensions < 2 || (input.Dimensions == 2 && input.is_floating_point()))
        {
            return false; // No positions, but features.
        }

        Tensor outputs = Exchange(input, hidden.clone());
        try
        {
            return TensorChecks.Equal(outputs, Exchange(input.narrow(1, 0, 1), hidden.clone()));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return false; // A model that fails on one position, and works on all of them, needs them all.
        }
    }

    private Tensor Exchange(Tensor input, Tensor hidden)
    {
        bool differentiates = is_grad_enabled();
        IDisposable? after = null;
        using var before = no_grad();
        Action unhook = block().OnReturn(_ =>
        {
            after ??= set_grad_enabled(differentiates);
            return hidden.alias();
        });
        try
        {
            return forward(input.clone()); // Models may work in place on what they are called with.
        }
        finally
        {
            unhook();
            after?.Dispose();
        }
    }
}
