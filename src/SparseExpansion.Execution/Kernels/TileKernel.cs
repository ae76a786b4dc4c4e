namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// A kernel for tiles of <see cref="Lanes"/> tokens. A call adds one panel block's share to the accumulators and
/// returns the number of values read. The accumulators of a row are <see cref="Lanes"/> × <see cref="Partials"/>
/// floats; the sum of the partials is the dot product.
/// </summary>
/// <param name="kind">The kind of the kernel.</param>
/// <param name="lanes">Tokens in a tile.</param>
/// <param name="layout">The tile it expects.</param>
/// <param name="partials">Partial sums of each output.</param>
/// <param name="cost">Time of a call relative to the other kernels of its kind;
/// decides only how tokens are split into tiles.</param>
/// <param name="run">(block, tile of the block, accumulators) → values read.</param>
internal sealed unsafe class TileKernel(
    KernelKind kind, int lanes, TileLayout layout, int partials, float cost,
    delegate*<PanelBlock*, float*, float*, nint> run)
{
    private readonly delegate*<PanelBlock*, float*, float*, nint> _run = run;

    public KernelKind Kind => kind;

    public int Lanes => lanes;

    public TileLayout Layout => layout;

    public int Partials => partials;

    public float Cost => cost;

    /// <summary>Floats of accumulators for one row.</summary>
    public int Width => lanes * partials;

    /// <summary>Distance of the accumulators of two tokens.</summary>
    public int LaneStride => layout == TileLayout.Interleaved ? 1 : partials;

    /// <summary>Distance of two partial sums of one output.</summary>
    public int PartialStride => layout == TileLayout.Interleaved ? lanes : 1;

    /// <summary>Adds a block's share; see the class.</summary>
    public nint Run(PanelBlock* block, float* tile, float* accumulators) => _run(block, tile, accumulators);
}
