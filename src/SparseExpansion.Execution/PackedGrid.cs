namespace SparseExpansion.Execution;

/// <summary>
/// The values that the codes of a quantized <see cref="PackedWeight"/> stand for: s(c − z)
/// with a scale s and a zero point z for each group of a row.
/// </summary>
public sealed class PackedGrid : IDisposable
{
    /// <summary>Takes over the arrays.</summary>
    /// <param name="bits">Bits of a code: 2, 3, 4 or 8.</param>
    /// <param name="groupSize">Columns that share a scale; null for a scale a row.</param>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="scales">[rows · groups], bfloat16: s, row by row.</param>
    /// <param name="zeros">[rows · groups], uint8: z.</param>
    /// <exception cref="ArgumentException">A number or an array does not fit the others.</exception>
    public PackedGrid(int bits, int? groupSize, int rows, int columns, NativeArray scales, NativeArray zeros)
    {
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentNullException.ThrowIfNull(zeros);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        RequireKnown(bits, groupSize);
        (Bits, GroupSize, Rows, Columns, Scales, Zeros) = (bits, groupSize, rows, columns, scales, zeros);
        long count = (long)rows * GroupCount;
        if (scales.Type != ElementType.BFloat16 || zeros.Type != ElementType.Byte || scales.Length != count
            || zeros.Length != count)
        {
            throw new ArgumentException(
                $"{rows} × {columns} weights need {count} bfloat16 scales and uint8 zero points, "
                + $"not {scales.Length} {scales.Type} and {zeros.Length} {zeros.Type}.", nameof(scales));
        }
    }

    /// <summary>Bits of a code.</summary>
    public int Bits { get; }

    /// <summary>Columns that share a scale; null for a scale a row.</summary>
    public int? GroupSize { get; }

    /// <summary>Output features.</summary>
    public int Rows { get; }

    /// <summary>Input features.</summary>
    public int Columns { get; }

    /// <summary>Groups of a row.</summary>
    public int GroupCount => GroupCountOf(Columns, GroupSize);

    /// <summary>[rows · groups], bfloat16.</summary>
    public NativeArray Scales { get; }

    /// <summary>[rows · groups], uint8.</summary>
    public NativeArray Zeros { get; }

    /// <exception cref="ArgumentOutOfRangeException">No grid has such codes or groups.</exception>
    internal static void RequireKnown(int bits, int? groupSize)
    {
        if (bits is not (2 or 3 or 4 or 8))
        {
            throw new ArgumentOutOfRangeException(nameof(bits), bits, "Codes have 2, 3, 4 or 8 bits.");
        }

        if (groupSize is not (null or 64 or 128))
        {
            throw new ArgumentOutOfRangeException(
                nameof(groupSize), groupSize, "Groups have 64 or 128 columns, or the whole row.");
        }
    }

    /// <summary>Groups of a row of so many columns.</summary>
    internal static int GroupCountOf(int columns, int? groupSize) =>
        groupSize is { } size ? (columns + size - 1) / size : 1;

    /// <inheritdoc/>
    public void Dispose()
    {
        Scales.Dispose();
        Zeros.Dispose();
    }
}
