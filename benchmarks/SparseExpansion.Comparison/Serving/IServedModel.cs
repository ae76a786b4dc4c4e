namespace SparseExpansion.Comparison.Serving;

/// <summary>A model that reads tokens one after the other and predicts the next.</summary>
internal interface IServedModel : IDisposable
{
    /// <summary>Forgets all tokens.</summary>
    void Clear();

    /// <summary>Reads tokens that follow those before, in one pass, and predicts the one after the last.</summary>
    /// <returns>One of the logits.</returns>
    float Read(ReadOnlySpan<int> tokens);
}
