using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>
/// A weight [out_features, in_features] of codes of up to four bits in the order of its kernels: 0.53 bytes a weight with
/// scales for 128 columns. Made at loading of weights that are stored otherwise. Reading from several threads is safe;
/// disposing is not.
/// </summary>
internal sealed unsafe class StripWeight : IDisposable
{
    private readonly NativeArray _data;

    /// <summary>Takes over [layout bytes] of memory that is filled in before the first use.</summary>
    public StripWeight(StripLayout layout, NativeArray data) => (Layout, _data) = (layout, data);

    /// <summary>The order of its bytes.</summary>
    public StripLayout Layout { get; }

    /// <summary>Output features.</summary>
    public int Rows => Layout.Rows;

    /// <summary>Input features.</summary>
    public int Columns => Layout.Columns;

    /// <summary>The first block of a strip.</summary>
    public byte* Strip(int strip) => _data.Pointer + strip * Layout.StripBytes;

    /// <summary>Writes the values of a row.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="values">[in_features].</param>
    /// <exception cref="ArgumentException">There is no such row, or the span has another length.</exception>
    public void DecodeRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Columns, nameof(values));
        byte* strip = Strip(row / StripLayout.StripRows);
        int lane = row % StripLayout.StripRows;
        for (int column = 0; column < Columns; column++)
        {
            byte* block = strip + (long)(column / Layout.BlockColumns) * Layout.BlockBytes;
            float scale = BFloat16Format.Load(block, lane);
            values[column] = scale * (StripCodes.Get(block, lane, column % Layout.BlockColumns) - block[StripLayout.ZerosAt + lane]);
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();
}
