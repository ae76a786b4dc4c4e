namespace SparseExpansion.Models.Generation;

/// <summary>
/// Texts that a model continues together. A full context, and a scaling of positions that changes with the length, make
/// the model read what is left of a text again, see <see cref="TextContext"/>.
/// </summary>
internal interface ISequenceBatch : IDisposable
{
    /// <summary>Computes the next token's logits of each text.</summary>
    void Advance();

    /// <summary>The next token's logits [vocabulary] of a text, until the next <see cref="Advance"/>.</summary>
    /// <param name="row">Number of the text, of those that <see cref="Advance"/> found.</param>
    ReadOnlySpan<float> Logits(int row);

    /// <summary>Adds a token to a text; each must get one before the next logits are computed.</summary>
    void Append(int row, int id);

    /// <summary>Keeps some of the texts, in order.</summary>
    void Keep(IReadOnlyList<int> rows);
}
