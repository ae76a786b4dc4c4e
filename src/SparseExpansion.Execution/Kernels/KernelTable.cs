using SparseExpansion.Execution.Kernels.Avx2;
using SparseExpansion.Execution.Kernels.Avx512;
using SparseExpansion.Execution.Kernels.Portable;
using SparseExpansion.Execution.Kernels.Tiles;

namespace SparseExpansion.Execution.Kernels;

/// <summary>
/// The kernels of one instruction set and weight format. Their costs are nanoseconds per stored weight (index) and per
/// sixteen columns (expand), measured on an AMD Zen 4; on other processors the order is the same.
/// </summary>
internal sealed unsafe class KernelTable
{
    private static readonly KernelTable?[] Tables = new KernelTable?[6];

    private KernelTable(InstructionSet instructions, TileKernel[] expand, params TileKernel[] index)
    {
        Instructions = instructions;
        Expand = expand;
        Index = index;
    }

    /// <summary>The instruction set of the kernels.</summary>
    public InstructionSet Instructions { get; }

    /// <summary>The kernels that read masks, by rising number of lanes; the first has one.</summary>
    public TileKernel[] Expand { get; }

    /// <summary>The kernels that read indices, by rising number of lanes; the first has one.</summary>
    public TileKernel[] Index { get; }

    /// <summary>The kernels of an instruction set for values of a dtype.</summary>
    public static KernelTable For(InstructionSet set, ElementType dtype)
    {
        int slot = (int)set * 2 + (dtype == ElementType.Float32 ? 0 : 1);
        return Tables[slot] ??= dtype == ElementType.Float32
            ? Create<Float32Format>(set, Expanders<Float32Expander>(TileLayout.TokenMajor))
            : Create<BFloat16Format>(set, Expanders<BFloat16Expander>(TileLayout.SplitPairs));
    }

    private static KernelTable Create<TFormat>(InstructionSet set, TileKernel[] avx512Expand)
        where TFormat : struct, IWeightFormat
    {
        TileKernel gather = new(
            KernelKind.Index, 1, TileLayout.TokenMajor, GatherIndexKernel<TFormat>.Partials, 0.28f,
            &GatherIndexKernel<TFormat>.Run);
        return set switch
        {
            InstructionSet.Avx512 => new KernelTable(
                set,
                avx512Expand,
                gather,
                new(
                    KernelKind.Index, 4, TileLayout.Interleaved, Avx512QuadIndexKernel<TFormat>.Partials, 0.39f,
                    &Avx512QuadIndexKernel<TFormat>.Run),
                new(
                    KernelKind.Index, 8, TileLayout.Interleaved, Avx512PairIndexKernel<TFormat>.Partials, 0.43f,
                    &Avx512PairIndexKernel<TFormat>.Run),
                WideTiles<TFormat, Tile16x512>(0.60f),
                WideTiles<TFormat, Tile32x512>(0.93f),
                WideTiles<TFormat, Tile64x512>(1.75f)),
            InstructionSet.Avx2 => new KernelTable(
                set,
                [new(KernelKind.Expand, 1, TileLayout.TokenMajor, Avx2ExpandKernel<TFormat>.Partials, 1f, &Avx2ExpandKernel<TFormat>.Run)],
                gather,
                Tiles<TFormat, Tile8x256>(0.50f),
                Tiles<TFormat, Tile16x256>(0.70f),
                Tiles<TFormat, Tile32x256>(1.2f)),
            _ => new KernelTable(
                set,
                [new(KernelKind.Expand, 1, TileLayout.TokenMajor, 1, 1f, &PortableExpandKernel<TFormat>.Run)],
                gather,
                Tiles<TFormat, Tile8x128>(0.70f),
                Tiles<TFormat, Tile16x128>(1.2f)),
        };
    }

    private static TileKernel[] Expanders<TExpander>(TileLayout layout)
        where TExpander : struct, IExpander =>
    [
        Narrow<TExpander, LaneVectors1>(layout, 1.15f),
        Narrow<TExpander, LaneVectors2>(layout, 1.4f),
        Narrow<TExpander, LaneVectors4>(layout, 1.95f),
        Wide<TExpander, LaneVectors2>(layout, 2.4f),
        Wide<TExpander, LaneVectors4>(layout, 3.1f),
    ];

    private static TileKernel Narrow<TExpander, TLanes>(TileLayout layout, float cost)
        where TExpander : struct, IExpander
        where TLanes : struct, ILaneVectors<TLanes> =>
        new(
            KernelKind.Expand, TLanes.Lanes, layout, Avx512ExpandKernel<TExpander, TLanes>.Partials, cost,
            &Avx512ExpandKernel<TExpander, TLanes>.Run);

    private static TileKernel Wide<TExpander, TRight>(TileLayout layout, float cost)
        where TExpander : struct, IExpander
        where TRight : struct, ILaneVectors<TRight> =>
        new(
            KernelKind.Expand, Avx512ExpandWideKernel<TExpander, TRight>.Lanes, layout,
            Avx512ExpandWideKernel<TExpander, TRight>.Partials, cost, &Avx512ExpandWideKernel<TExpander, TRight>.Run);

    private static TileKernel Tiles<TFormat, TTile>(float cost)
        where TFormat : struct, IWeightFormat
        where TTile : struct, ITile<TTile> =>
        new(KernelKind.Index, TTile.Lanes, TileLayout.Interleaved, 1, cost, &TileIndexKernel<TFormat, TTile>.Run);

    private static TileKernel WideTiles<TFormat, TTile>(float cost)
        where TFormat : struct, IWeightFormat
        where TTile : struct, IWideTile<TTile> =>
        new(KernelKind.Index, TTile.Lanes, TileLayout.Interleaved, 1, cost, &Avx512TileIndexKernel<TFormat, TTile>.Run);
}
