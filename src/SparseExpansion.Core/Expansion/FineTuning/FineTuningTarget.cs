namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Outputs that fine-tuning brings a block closer to.</summary>
public enum FineTuningTarget
{
    /// <summary>
    /// Outputs of the dense block for the inputs that the expanded block gets: those that the expanded blocks before it
    /// produce. Errors of earlier blocks are left alone.
    /// </summary>
    DenseBlock,

    /// <summary>
    /// Outputs of the block in the dense model, so that the block also makes up for errors of the blocks before it. The
    /// same as <see cref="DenseBlock"/> for a model expanded as a whole.
    /// </summary>
    DenseModel,
}
