namespace SparseExpansion.Expansion;

/// <summary>
/// Inputs that later layers of a block are calibrated on. Blocks themselves always see the outputs of expanded blocks.
/// </summary>
public enum BlockInputs
{
    /// <summary>Outputs of the block's dense layers: the published reference.</summary>
    Dense,

    /// <summary>Outputs of the layers of the block that are expanded already.</summary>
    Expanded,
}
