using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit.Tokens;

/// <summary>
/// Tokens rounded to eight bits in groups of 128 features: x ≈ a·q with q = −127 … 127 and a = max |x| / 127 of the
/// group, so that the error of a feature is at most a / 2. Memory is reused from one rounding to the next.
/// </summary>
internal sealed unsafe class RoundedTokens : IDisposable
{
    /// <summary>Features of one mask word; scales and sums are kept for each.</summary>
    public const int UnitColumns = 64;

    /// <summary>Features that share a scale.</summary>
    public const int GroupColumns = 128;

    /// <summary>Sums are read in vectors of so many.</summary>
    public const int SumLanes = 16;

    private const int NumberRows = 4;
    private readonly NativeBuffer _codes = new();
    private readonly NativeBuffer _numbers = new();
    private int _numberRow;

    /// <summary>Rounded tokens.</summary>
    public int Count { get; private set; }

    /// <summary>Features of a token.</summary>
    public int Columns { get; private set; }

    /// <summary>Units of a token, with the empty ones up to whole blocks.</summary>
    public int Units { get; private set; }

    /// <summary>Rounds tokens; columns behind the last one are zeros.</summary>
    /// <param name="tokens">[count, columns].</param>
    /// <param name="count">Tokens.</param>
    /// <param name="columns">Features.</param>
    public void Round(MatrixView tokens, int count, int columns)
    {
        Prepare(count, columns);
        for (int token = 0; token < count; token++)
        {
            RoundRow(tokens, token);
        }
    }

    /// <summary>Makes room; rows are rounded by <see cref="RoundRow"/> afterwards, from several threads where there are
    /// many.</summary>
    public void Prepare(int count, int columns)
    {
        // Whole blocks of the widest layout, so that kernels need not ask where a token ends.
        Units = (columns + 255) / 256 * (256 / UnitColumns);
        (Count, Columns) = (count, columns);
        _codes.Reserve((nuint)((long)count * Units * UnitColumns));
        _numberRow = (Units + SumLanes - 1) / SumLanes * SumLanes;
        _numbers.Reserve((nuint)((long)count * NumberRows * _numberRow * sizeof(float)));
    }

    /// <summary>Rounds one token.</summary>
    public void RoundRow(MatrixView tokens, int token)
    {
        byte* source = tokens.Row(token);
        float* group = stackalloc float[GroupColumns];
        for (int first = 0; first < Units * UnitColumns; first += GroupColumns)
        {
            int inside = Math.Clamp(Columns - first, 0, GroupColumns);
            float* values = Read(source, tokens.IsBFloat16, first, inside, group);
            int unit = first / UnitColumns;
            TokenRounding.RoundGroup(values, Codes(token) + first, Scales(token) + unit, UnitSums(token) + unit);
        }

        float* sums = UnitSums(token), pairs = PairSums(token), total = Totals(token);
        new Span<float>(sums + Units, _numberRow - Units).Clear();
        new Span<float>(pairs, 2 * _numberRow).Clear();
        for (int pair = 0; pair < Units / 2; pair++)
        {
            pairs[pair] = sums[2 * pair] + sums[2 * pair + 1];
            *total += pairs[pair];
        }
    }

    /// <summary>q, [units · 64].</summary>
    public sbyte* Codes(int token) => (sbyte*)_codes.Pointer + (long)token * Units * UnitColumns;

    /// <summary>a of every unit.</summary>
    public float* Scales(int token) => (float*)_numbers.Pointer + (long)token * NumberRows * _numberRow;

    /// <summary>a·Σq of every unit: what a weight of one everywhere would give. Zeros follow up to whole
    /// vectors.</summary>
    public float* UnitSums(int token) => Scales(token) + _numberRow;

    /// <summary>The same of every two units.</summary>
    public float* PairSums(int token) => Scales(token) + 2 * _numberRow;

    /// <summary>The same of all units.</summary>
    public float* Totals(int token) => Scales(token) + 3 * _numberRow;

    /// <inheritdoc/>
    public void Dispose()
    {
        _codes.Dispose();
        _numbers.Dispose();
    }

    private static float* Read(byte* source, bool bfloat16, int first, int count, float* group)
    {
        if (!bfloat16 && count == GroupColumns)
        {
            return (float*)source + first;
        }

        new Span<float>(group, GroupColumns).Clear();
        for (int i = 0; i < count; i++)
        {
            group[i] = bfloat16
                ? BFloat16Format.Load(source, first + i)
                : ((float*)source)[first + i];
        }

        return group;
    }
}
