using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.Tiling;

/// <summary>A tile of tokens that share an expert and a kernel.</summary>
internal struct TilePlan
{
    /// <summary>The kernel.</summary>
    public TileKernel Kernel;

    /// <summary>The layout of the expert's weight: experts of one layer may have blocks of different widths.</summary>
    public PackedLayout Layout;

    /// <summary>Position of the first token in the order.</summary>
    public int FirstToken;

    /// <summary>Tokens, at most the kernel's lanes.</summary>
    public int Tokens;

    /// <summary>Offset of the tile, in floats.</summary>
    public long TileOffset;

    /// <summary>Offset of its accumulators in a worker's memory, in floats.</summary>
    public int AccumulatorOffset;
}
