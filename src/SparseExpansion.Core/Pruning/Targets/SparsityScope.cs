
namespace SparseExpansion.Pruning.Targets;

/// <summary>The set of weights in which an unstructured sparsity is counted out exactly.</summary>
public enum SparsityScope
{
    /// <summary>
    /// The scope of the pruner's paper: the layer for magnitude, the row for Wanda, the column block for SparseGPT.
    /// </summary>
    PrunerDefault,

    /// <summary>All weights of the layer compete.</summary>
    Layer,

    /// <summary>The weights of one output row compete.</summary>
    Row,

    /// <summary>All rows of one block of 128 columns compete.</summary>
    ColumnBlock,
}
