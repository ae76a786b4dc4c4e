using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference;

/// <summary>
/// Keys and values of the tokens of one text, made by <see cref="InferenceModel.CreateSequence"/>. Used by one thread at
/// a time.
/// </summary>
public sealed class InferenceSequence : IDisposable
{
    internal InferenceSequence(InferenceModel model, SequenceCache cache) => (Model, Cache) = (model, cache);

    /// <summary>Number of tokens.</summary>
    public int Length => Cache.Length;

    internal InferenceModel Model { get; }

    internal SequenceCache Cache { get; }

    /// <summary>Forgets the tokens from a position on.</summary>
    /// <param name="length">Tokens to keep; 0 forgets all.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many tokens.</exception>
    /// <exception cref="InvalidOperationException">A layer sees a window of tokens only and has forgotten what the next
    /// token would see: begin anew from 0.</exception>
    public void Truncate(int length) => Cache.Truncate(length);

    /// <summary>Gives the memory back to the model.</summary>
    public void Dispose() => Cache.Dispose();
}
