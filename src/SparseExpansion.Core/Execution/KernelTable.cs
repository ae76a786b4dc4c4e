using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.Kernels;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>The kernels of one instruction set and weight format.</summary>
internal sealed unsafe class KernelTable
{
    private static readonly KernelTable?[] Tables = new KernelTable?[6];

    private KernelTable(TileKernel expand, params TileKernel[] index)
    {
        Expand = expand;
        Index = index;
    }

    /// <summary>The widest instruction set of this processor.</summary>
    public static InstructionSet Best { get; } =
        IsSupported(InstructionSet.Avx512) ? InstructionSet.Avx512
        : IsSupported(InstructionSet.Avx2) ? InstructionSet.Avx2
        : InstructionSet.Portable;

    /// <summary>The kernel for one token that reads masks.</summary>
    public TileKernel Expand { get; }

    /// <summary>The kernels that read indices, by rising number of lanes; the first has one.</summary>
    public TileKernel[] Index { get; }

    /// <summary>True if this processor has the instructions.</summary>
    public static bool IsSupported(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => Vector512.IsHardwareAccelerated && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512Vbmi2.IsSupported,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        _ => true,
    };

    /// <summary>The kernels of an instruction set for values of a dtype.</summary>
    public static KernelTable For(InstructionSet set, ScalarType dtype)
    {
        int slot = (int)set * 2 + (dtype == ScalarType.Float32 ? 0 : 1);
        return Tables[slot] ??= dtype == ScalarType.Float32
            ? Create<Float32Format>(set, Avx512Expand(TileLayout.TokenMajor, &Avx512ExpandFloat32Kernel.Run))
            : Create<BFloat16Format>(set, Avx512Expand(TileLayout.SplitPairs, &Avx512ExpandBFloat16Kernel.Run));
    }

    private static KernelTable Create<TFormat>(InstructionSet set, TileKernel avx512Expand)
        where TFormat : struct, IWeightFormat
    {
        TileKernel gather = new(KernelKind.Index, 1, TileLayout.TokenMajor, GatherIndexKernel<TFormat>.Partials, &GatherIndexKernel<TFormat>.Run);
        return set switch
        {
            InstructionSet.Avx512 => new KernelTable(
                avx512Expand,
                gather,
                new(KernelKind.Index, 4, TileLayout.Interleaved, Avx512QuadIndexKernel<TFormat>.Partials, &Avx512QuadIndexKernel<TFormat>.Run),
                new(KernelKind.Index, 8, TileLayout.Interleaved, Avx512PairIndexKernel<TFormat>.Partials, &Avx512PairIndexKernel<TFormat>.Run),
                Tiles<TFormat, Tile16x512>(),
                Tiles<TFormat, Tile32x512>(),
                Tiles<TFormat, Tile64x512>()),
            InstructionSet.Avx2 => new KernelTable(
                new(KernelKind.Expand, 1, TileLayout.TokenMajor, Avx2ExpandKernel<TFormat>.Partials, &Avx2ExpandKernel<TFormat>.Run),
                gather,
                Tiles<TFormat, Tile8x256>(),
                Tiles<TFormat, Tile16x256>(),
                Tiles<TFormat, Tile32x256>()),
            _ => new KernelTable(
                new(KernelKind.Expand, 1, TileLayout.TokenMajor, 1, &PortableExpandKernel<TFormat>.Run),
                gather,
                Tiles<TFormat, Tile8x128>(),
                Tiles<TFormat, Tile16x128>()),
        };
    }

    private static TileKernel Avx512Expand(TileLayout layout, delegate*<PanelBlock*, float*, float*, nint> run) =>
        new(KernelKind.Expand, 1, layout, Avx512ExpandFloat32Kernel.Partials, run);

    private static TileKernel Tiles<TFormat, TTile>()
        where TFormat : struct, IWeightFormat
        where TTile : struct, ITile<TTile> =>
        new(KernelKind.Index, TTile.Lanes, TileLayout.Interleaved, 1, &TileIndexKernel<TFormat, TTile>.Run);
}
