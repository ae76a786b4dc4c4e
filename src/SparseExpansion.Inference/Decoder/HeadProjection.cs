using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Decoder;

/// <summary>Queries, keys and values of tokens.</summary>
internal abstract unsafe class HeadProjection : IDisposable
{
    /// <summary>Projects.</summary>
    /// <param name="pass">Its input is set.</param>
    /// <param name="target">[tokens, queries | keys | values].</param>
    /// <param name="stride">Numbers from one token to the next.</param>
    public abstract void Run(DecoderPass pass, float* target, nint stride);

    /// <inheritdoc/>
    public abstract void Dispose();
}
