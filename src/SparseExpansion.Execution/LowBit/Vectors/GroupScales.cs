using System.Runtime.Intrinsics;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.LowBit.Tokens;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>The grid of a matrix as kernels read it.</summary>
internal readonly unsafe struct GroupScales
{
    private readonly ushort* _scales;
    private readonly byte* _zeros;
    private readonly int? _size;

    /// <summary>The grid of a weight.</summary>
    public GroupScales(PackedGrid grid)
    {
        _scales = (ushort*)grid.Scales.Pointer;
        _zeros = grid.Zeros.Pointer;
        _size = grid.GroupSize;
        Groups = grid.GroupCount;
        UnitShift = _size switch { 64 => 0, 128 => 1, _ => 30 };
    }

    /// <summary>Groups of a row.</summary>
    public int Groups { get; }

    /// <summary>log₂ of the units of a group.</summary>
    public int UnitShift { get; }

    /// <summary>Groups of a row, rounded up to whole vectors.</summary>
    public int Lanes => (Groups + RoundedTokens.SumLanes - 1) / RoundedTokens.SumLanes * RoundedTokens.SumLanes;

    /// <summary>Writes s and s·z of the groups of a row, and zeros behind them.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scales">[lanes].</param>
    /// <param name="excess">[lanes]: times <see cref="Sums"/>, what products contain although codes count from the zero
    /// point.</param>
    public void Write(long row, float* scales, float* excess)
    {
        ushort* from = _scales + row * Groups;
        byte* zeros = _zeros + row * Groups;
        int group = 0;
        for (; group + 8 <= Groups; group += 8)
        {
            Vector256<float> scale = BFloat16Format.Load8((byte*)from, group);
            Vector128<ushort> narrow =
                Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(zeros + group)).AsByte());
            Vector256<uint> wide = Vector256.Create(Vector128.WidenLower(narrow), Vector128.WidenUpper(narrow));
            scale.Store(scales + group);
            (scale * Vector256.ConvertToSingle(wide.AsInt32())).Store(excess + group);
        }

        for (; group < Groups; group++)
        {
            scales[group] = BFloat16Format.Load((byte*)from, group);
            excess[group] = scales[group] * zeros[group];
        }

        for (int lanes = Lanes; group < lanes; group++)
        {
            scales[group] = excess[group] = 0;
        }
    }

    /// <summary>Products of a weight of one everywhere, group by group; [lanes].</summary>
    public float* Sums(RoundedTokens tokens, int token) => _size switch
    {
        64 => tokens.UnitSums(token),
        128 => tokens.PairSums(token),
        _ => tokens.Totals(token),
    };
}
