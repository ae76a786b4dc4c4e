namespace SparseExpansion.Inference.Routing;

/// <summary>Chooses the expert of each token. Holds no state, so that threads may share one.</summary>
/// <param name="inputFeatures">Width of a token.</param>
/// <param name="expertCount">Number of experts.</param>
internal abstract unsafe class TokenRouter(int inputFeatures, int expertCount) : IDisposable
{
    /// <summary>Width of a token.</summary>
    public int InputFeatures => inputFeatures;

    /// <summary>Number of experts.</summary>
    public int ExpertCount => expertCount;

    /// <summary>Numbers of scratch memory that <see cref="Choose"/> needs for a token.</summary>
    public virtual int ScratchPerToken => 0;

    /// <summary>Chooses.</summary>
    /// <param name="tokens">[count, features] float32.</param>
    /// <param name="stride">Numbers from one token to the next.</param>
    /// <param name="experts">[count] receives the number of each token's expert.</param>
    /// <param name="scratch">As many numbers as <see cref="ScratchPerToken"/> says.</param>
    /// <param name="threads">Threads to use.</param>
    public abstract void Choose(float* tokens, nint stride, Span<long> experts, float* scratch, int threads);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}
