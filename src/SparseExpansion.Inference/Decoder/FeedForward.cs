namespace SparseExpansion.Inference.Decoder;

/// <summary>A feed-forward network.</summary>
internal abstract unsafe class FeedForward : IDisposable
{
    /// <summary>Computes it.</summary>
    /// <param name="pass">Memory and threads.</param>
    /// <param name="input">[count, hidden].</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="output">[count, hidden].</param>
    public abstract void Run(DecoderPass pass, float* input, int count, float* output);

    /// <inheritdoc/>
    public abstract void Dispose();
}
