using SparseExpansion.Models;
using SparseExpansion.Models.Generation;

namespace SparseExpansion.Inference.Generation;

/// <summary>A model decoded in managed code, for the generators.</summary>
internal sealed class ManagedSequences : ISequenceSource
{
    private readonly InferenceModel _model;

    /// <exception cref="ArgumentNullException">There is no model.</exception>
    public ManagedSequences(InferenceModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
    }

    /// <inheritdoc/>
    public ModelConfig Config => _model.Config;

    /// <inheritdoc/>
    public ISequenceBatch Begin(IReadOnlyList<IReadOnlyList<int>> prompts) => new ManagedBatch(_model, prompts);
}
