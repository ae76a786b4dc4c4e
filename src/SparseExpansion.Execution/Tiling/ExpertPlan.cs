using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Tiling;

/// <summary>An expert that has tokens, and its tiles.</summary>
internal struct ExpertPlan
{
    /// <summary>The packed weight.</summary>
    public PackedWeight Weight;

    /// <summary>The indices that are kept; null where no tile reads them or they have to be listed.</summary>
    public PackedIndices? Indices;

    /// <summary>True if tiles read indices that have to be listed, block by block.</summary>
    public bool ListColumns;

    /// <summary>True if AVX-512 may be used.</summary>
    public bool Wide;

    /// <summary>First tile.</summary>
    public int FirstTile;

    /// <summary>Number of tiles.</summary>
    public int TileCount;

    /// <summary>Panels to multiply.</summary>
    public int PanelCount;

    /// <summary>Panels of all experts before this one.</summary>
    public int FirstItem;

    /// <summary>Floats of accumulators for a panel.</summary>
    public int AccumulatorLength;
}
