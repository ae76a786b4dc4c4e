using SparseExpansion.Execution;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// A <see cref="QuantizationGrid"/> in managed memory, which nobody has to dispose: what a model remembers of weights
/// that were rounded.
/// </summary>
internal sealed unsafe class WeightGrid
{
    private readonly ushort[] _scales;
    private readonly byte[] _zeros;

    private WeightGrid(WeightQuantization quantization, int rows, int columns, ushort[] scales, byte[] zeros) =>
        (Quantization, Rows, Columns, _scales, _zeros) = (quantization, rows, columns, scales, zeros);

    /// <summary>Bits and groups.</summary>
    public WeightQuantization Quantization { get; }

    /// <summary>Output features.</summary>
    public int Rows { get; }

    /// <summary>Input features.</summary>
    public int Columns { get; }

    /// <summary>Groups of a row.</summary>
    public int GroupCount => Quantization.GroupCount(Columns);

    /// <summary>Bytes of codes, scales and zero points.</summary>
    public long StoredBytes => QuantizedWeight.CodeLength(Rows, Columns, Quantization.Bits) + 3L * _zeros.Length;

    /// <summary>Copies a grid.</summary>
    public static WeightGrid Of(QuantizationGrid grid)
    {
        using var scope = NewDisposeScope();
        Tensor scales = grid.Scales.cpu().contiguous(), zeros = grid.Zeros.cpu().contiguous();
        int count = checked((int)zeros.numel());
        var copy = new WeightGrid(
            grid.Quantization, checked((int)zeros.shape[0]), grid.Columns,
            new ReadOnlySpan<ushort>(RawMemory.Address(scales), count).ToArray(),
            new ReadOnlySpan<byte>(RawMemory.Address(zeros), count).ToArray());
        RawMemory.KeepAlive(scales, zeros);
        return copy;
    }

    /// <summary>Scales [rows, groups], bfloat16, and zero points [rows, groups], uint8, of some rows.</summary>
    /// <returns>A grid of these rows; the caller disposes it.</returns>
    public QuantizationGrid RowsOf(long first, long count)
    {
        Tensor scales = empty([count, GroupCount], ScalarType.BFloat16, CPU),
            zeros = empty([count, GroupCount], ScalarType.Byte, CPU);
        Slice(_scales, first, count).CopyTo(new Span<ushort>(RawMemory.Address(scales), checked((int)scales.numel())));
        Slice(_zeros, first, count).CopyTo(new Span<byte>(RawMemory.Address(zeros), checked((int)zeros.numel())));
        RawMemory.KeepAlive(scales, zeros);
        return new QuantizationGrid(
            Quantization, Columns, scales.DetachFromDisposeScope(), zeros.DetachFromDisposeScope());
    }

    private ReadOnlySpan<T> Slice<T>(T[] values, long first, long count) =>
        values.AsSpan(checked((int)first) * GroupCount, checked((int)count) * GroupCount);
}
