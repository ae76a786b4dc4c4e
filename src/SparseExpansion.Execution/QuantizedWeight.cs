using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution;

/// <summary>
/// A dense weight [out_features, in_features] in codes of a few bits: 0.52 bytes per weight with 4 bits in groups of
/// 128. The code c of a weight stands for s(c − z), with a scale s and a zero point z for each group of a row. Lives in
/// CPU memory. Reading from several threads is safe; disposing is not.
/// </summary>
public sealed unsafe class QuantizedWeight : IDisposable
{
    private bool _disposed;

    private QuantizedWeight(NativeArray codes, PackedGrid grid) => (Codes, Grid) = (codes, grid);

    /// <summary>Output features.</summary>
    public int Rows => Grid.Rows;

    /// <summary>Input features.</summary>
    public int Columns => Grid.Columns;

    /// <summary>Bits of a code: 2, 3, 4 or 8.</summary>
    public int Bits => Grid.Bits;

    /// <summary>
    /// [rows · row bytes + at least 64], uint8: codes row by row, from the lowest bits of a byte on; every row starts
    /// at a byte. The rest is padding. Belongs to this weight.
    /// </summary>
    public NativeArray Codes { get; }

    /// <summary>Scales and zero points. Belong to this weight.</summary>
    public PackedGrid Grid { get; }

    /// <summary>Bytes of the stored arrays.</summary>
    public long StoredBytes => Codes.ByteLength + Grid.Scales.ByteLength + Grid.Zeros.ByteLength;

    /// <summary>Bytes of the codes of a row.</summary>
    internal long RowBytes => RowBytesOf(Columns, Bits);

    /// <summary>Elements of <see cref="Codes"/> that a weight needs.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="bits">Bits of a code.</param>
    public static long CodeLength(int rows, int columns, int bits) =>
        rows * RowBytesOf(columns, bits) + PackedArrays.CodePadding;

    /// <summary>Uses stored arrays as they are, without copying; they may lie in mapped memory. The weight takes them
    /// over and disposes them.</summary>
    /// <exception cref="CheckpointException">An array has a wrong dtype or length, or a zero point is no code.
    /// </exception>
    public static QuantizedWeight FromArrays(NativeArray codes, PackedGrid grid)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(grid);
        long length = CodeLength(grid.Rows, grid.Columns, grid.Bits);
        if (codes.Type != ElementType.Byte || codes.Length < length)
        {
            throw new CheckpointException(
                $"The quantized weight is damaged: codes must be {length} bytes at least, not {codes.Length} of "
                + $"{codes.Type}. Quantize the model again or restore the file.");
        }

        PackedArraysCheck.CheckZeros(grid);
        return new QuantizedWeight(codes, grid);
    }

    /// <summary>Rounds a weight to the grid between the smallest and the largest weight of every group, 0 among its
    /// values.</summary>
    /// <param name="weight">[rows, columns], row by row, finite.</param>
    /// <param name="rows">Output features, at least 1.</param>
    /// <param name="columns">Input features, at least 1.</param>
    /// <param name="bits">Bits of a code: 2, 3, 4 or 8.</param>
    /// <param name="groupSize">Columns that share a scale: 64 or 128; null for a scale a row.</param>
    /// <exception cref="ArgumentException">The numbers do not describe the span, a weight is not finite, or there are no
    /// such codes or groups.</exception>
    public static QuantizedWeight Quantize(
        ReadOnlySpan<float> weight, int rows, int columns, int bits, int? groupSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (weight.Length != (long)rows * columns)
        {
            throw new ArgumentException($"[{rows}, {columns}] are not {weight.Length} numbers.", nameof(weight));
        }

        PackedGrid.RequireKnown(bits, groupSize);
        int groups = PackedGrid.GroupCountOf(columns, groupSize);
        var grid = new PackedGrid(
            bits, groupSize, rows, columns, NativeArray.Allocate((long)rows * groups, ElementType.BFloat16),
            NativeArray.Allocate((long)rows * groups, ElementType.Byte));
        try
        {
            DenseRounding.Fit(weight, grid);
            return Encode(weight, grid);
        }
        catch
        {
            grid.Dispose();
            throw;
        }
    }

    /// <summary>The codes of the values of a grid that are nearest to a weight. The weight takes the grid over.</summary>
    /// <param name="weight">[rows, columns], row by row, finite.</param>
    /// <param name="grid">The grid.</param>
    internal static QuantizedWeight Encode(ReadOnlySpan<float> weight, PackedGrid grid)
    {
        NativeArray codes = NativeArray.Allocate(CodeLength(grid.Rows, grid.Columns, grid.Bits), ElementType.Byte);
        var rounded = new QuantizedWeight(codes, grid);
        DenseRounding.Encode(weight, rounded);
        return rounded;
    }

    /// <summary>The weights that the codes of some rows stand for.</summary>
    /// <param name="firstRow">First row.</param>
    /// <param name="dense">[any number of rows, columns]; every element is written.</param>
    /// <exception cref="ArgumentException">The span does not hold whole rows of this weight.</exception>
    public void Dequantize(int firstRow, Span<float> dense)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int rows = dense.Length / Columns;
        if (dense.Length % Columns != 0 || firstRow < 0 || firstRow > Rows - rows)
        {
            throw new ArgumentException(
                $"{dense.Length} numbers from row {firstRow} on are not rows of a [{Rows}, {Columns}] weight.",
                nameof(dense));
        }

        for (int row = 0; row < rows; row++)
        {
            DenseRounding.DecodeRow(this, firstRow + row, dense.Slice(row * Columns, Columns));
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Codes.Dispose();
            Grid.Dispose();
        }
    }

    private static long RowBytesOf(int columns, int bits) => CodeBits.BytesOf(columns, bits);
}
