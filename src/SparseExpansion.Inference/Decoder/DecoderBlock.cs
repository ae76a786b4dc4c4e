using System.Numerics.Tensors;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>One transformer block.</summary>
/// <param name="config">The architecture.</param>
/// <param name="attention">Its attention.</param>
/// <param name="feedForward">Its feed-forward network.</param>
/// <param name="norms">Its norms; those that the layout does not have are null.</param>
internal sealed unsafe class DecoderBlock(
    ModelConfig config, SelfAttention attention, FeedForward feedForward, BlockNorms norms) : IDisposable
{
    /// <summary>Runs the block.</summary>
    /// <param name="pass">The tokens.</param>
    /// <param name="hidden">[tokens, hidden], changed in place.</param>
    public void Run(DecoderPass pass, float* hidden)
    {
        long numbers = (long)pass.Count * config.HiddenSize;
        float* normed = pass.Reserve(PassMemory.Normed, numbers);
        float* branch = pass.Reserve(PassMemory.Branch, numbers);
        if (config.Layout is BlockLayout.Parallel or BlockLayout.ParallelSharedNorm)
        {
            RunParallel(pass, hidden, normed, branch);
        }
        else
        {
            RunSequential(pass, hidden, normed, branch);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        attention.Dispose();
        feedForward.Dispose();
    }

    private void RunParallel(DecoderPass pass, float* hidden, float* normed, float* branch)
    {
        norms.Attention!.Apply(hidden, normed, pass.Count);
        attention.Run(pass, normed, branch);

        // The second norm reads what the attention has not been added to yet.
        norms.FeedForward?.Apply(hidden, normed, pass.Count);
        Join(pass, hidden, branch);
        feedForward.Run(pass, normed, pass.Count, branch);
        Join(pass, hidden, branch);
    }

    private void RunSequential(DecoderPass pass, float* hidden, float* normed, float* branch)
    {
        attention.Run(pass, Before(pass, norms.Attention, hidden, normed), branch);
        After(pass, norms.Attention, norms.AfterAttention, hidden, branch);
        feedForward.Run(pass, Before(pass, norms.FeedForward, hidden, normed), pass.Count, branch);
        After(pass, norms.FeedForward, norms.AfterFeedForward, hidden, branch);
    }

    private float* Before(DecoderPass pass, Norm? norm, float* hidden, float* normed)
    {
        if (norm is null || config.Layout == BlockLayout.PostNorm)
        {
            return hidden;
        }

        norm.Apply(hidden, normed, pass.Count);
        return normed;
    }

    private void After(DecoderPass pass, Norm? norm, Norm? after, float* hidden, float* branch)
    {
        after?.Apply(branch, branch, pass.Count);
        Join(pass, hidden, branch);
        if (config.Layout == BlockLayout.PostNorm)
        {
            norm!.Apply(hidden, hidden, pass.Count);
        }
    }

    private void Join(DecoderPass pass, float* hidden, float* branch)
    {
        int numbers = checked(pass.Count * config.HiddenSize);
        var added = new Span<float>(branch, numbers);
        if (config.ResidualScale != 1)
        {
            TensorPrimitives.Multiply(added, (float)config.ResidualScale, added);
        }

        var sum = new Span<float>(hidden, numbers);
        TensorPrimitives.Add(sum, added, sum);
    }
}
