using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Tiling;

/// <summary>An expert that has tokens, and its tiles.</summary>
internal struct ExpertPlan
{
    /// <summary>The packed weight.</summary>
    public PackedWeight Weight;

    /// <summary>The derived indices, null where no tile reads them.</summary>
    public PackedIndices? Indices;

    /// <summary>True if tiles read indices that have to be listed while codes are decoded.</summary>
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
