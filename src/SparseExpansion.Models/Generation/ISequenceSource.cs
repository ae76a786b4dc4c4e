namespace SparseExpansion.Models.Generation;

/// <summary>A model, for those who continue texts with it.</summary>
internal interface ISequenceSource
{
    /// <summary>The architecture.</summary>
    ModelConfig Config { get; }

    /// <summary>Begins to continue texts; the caller disposes the batch.</summary>
    /// <param name="prompts">Tokens of each text, at least one.</param>
    ISequenceBatch Begin(IReadOnlyList<IReadOnlyList<int>> prompts);
}
