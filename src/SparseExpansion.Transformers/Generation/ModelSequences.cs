using SparseExpansion.Models;
using SparseExpansion.Models.Generation;

namespace SparseExpansion.Transformers.Generation;

/// <summary>A torch model, for the generators.</summary>
internal sealed class ModelSequences : ISequenceSource
{
    private readonly CausalLanguageModel _model;

    /// <exception cref="ArgumentNullException">There is no model.</exception>
    public ModelSequences(CausalLanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
    }

    /// <inheritdoc/>
    public ModelConfig Config => _model.Config;

    /// <inheritdoc/>
    public ISequenceBatch Begin(IReadOnlyList<IReadOnlyList<int>> prompts) => new SequenceBatch(_model, prompts);
}
