namespace SparseExpansion.Inference.Linears;

/// <summary>A linear layer. Its weights do not change, so that threads may share it.</summary>
/// <param name="inFeatures">Width of a token.</param>
/// <param name="outFeatures">Width of a result.</param>
internal abstract unsafe class Linear(int inFeatures, int outFeatures) : IDisposable
{
    /// <summary>Width of a token.</summary>
    public int InFeatures => inFeatures;

    /// <summary>Width of a result.</summary>
    public int OutFeatures => outFeatures;

    /// <summary>output[token] = weight · tokens[token] + bias.</summary>
    /// <param name="tokens">[count, in_features].</param>
    /// <param name="output">[count, out_features] float32; must not overlap the tokens.</param>
    /// <param name="stride">Numbers from one token's results to the next one's.</param>
    public abstract void Multiply(TokenBlock tokens, float* output, nint stride);

    /// <inheritdoc/>
    public abstract void Dispose();
}
