namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Which outputs fine-tuning brings a block closer to.</summary>
public enum FineTuningTarget
{
    /// <summary>
    /// What the dense block makes of the inputs that the expanded block gets: those that the expanded blocks before it produce. Errors of
    /// earlier blocks are left alone.
    /// </summary>
    DenseBlock,

    /// <summary>What the block puts out in the dense model, so that it also makes up for errors of the blocks before it. The same as <see cref="DenseBlock"/> for a model expanded as a whole.</summary>
    DenseModel,
}
