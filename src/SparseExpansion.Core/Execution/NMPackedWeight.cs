using System.Numerics;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// A weight of which at most <see cref="Keep"/> of every <see cref="GroupSize"/> consecutive values of a row are non-zero, stored as
/// values and positions: the form in which hardware reads 2:4 sparsity, and half a bit per weight smaller than a bitmask at 1:4. At
/// 2:4 both take one bit per weight, so products run on <see cref="ToPacked"/>, whose kernels lose nothing by it.
/// </summary>
public sealed unsafe class NMPackedWeight : IDisposable
{
    private bool _disposed;

    private NMPackedWeight(int rows, int columns, int keep, int groupSize, Tensor values, Tensor positions)
    {
        Rows = rows;
        Columns = columns;
        Keep = keep;
        GroupSize = groupSize;
        Values = values;
        Positions = positions;
    }

    /// <summary>Output features.</summary>
    public int Rows { get; }

    /// <summary>Input features, a multiple of the group size.</summary>
    public int Columns { get; }

    /// <summary>Values stored for a group.</summary>
    public int Keep { get; }

    /// <summary>Consecutive weights of a row that form a group.</summary>
    public int GroupSize { get; }

    /// <summary>[rows, columns / group size · keep], float32 or bfloat16, CPU; zero where a group has fewer non-zeros. Belongs to this weight.</summary>
    public Tensor Values { get; }

    /// <summary>uint8: for each value its position in the group, in log₂(group size) bits rounded up, lowest bits first. Belongs to this weight.</summary>
    public Tensor Positions { get; }

    private int PositionBits => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)GroupSize));

    /// <summary>Packs a dense weight.</summary>
    /// <param name="weight">[out_features, in_features], float32 or bfloat16; not changed.</param>
    /// <param name="keep">Non-zeros that a group may have.</param>
    /// <param name="groupSize">2 … 16.</param>
    /// <exception cref="ArgumentException">
    /// The weight is not a matrix of a supported dtype, its columns are no multiple of the group size, or a group has too many non-zeros.
    /// </exception>
    public static NMPackedWeight Pack(Tensor weight, int keep, int groupSize)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentOutOfRangeException.ThrowIfLessThan(groupSize, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(groupSize, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keep, groupSize);
        if (weight.dim() != 2 || weight.numel() == 0 || weight.shape[1] % groupSize != 0)
        {
            throw new ArgumentException($"A weight [{string.Join(", ", weight.shape)}] does not consist of rows of whole groups of {groupSize}.", nameof(weight));
        }

        return weight.dtype switch
        {
            ScalarType.Float32 => Pack<Float32Format>(weight, keep, groupSize),
            ScalarType.BFloat16 => Pack<BFloat16Format>(weight, keep, groupSize),
            _ => throw new ArgumentException($"The weight must be float32 or bfloat16, not {weight.dtype}.", nameof(weight)),
        };
    }

    /// <summary>The dense weight: [out_features, in_features], CPU.</summary>
    /// <exception cref="ObjectDisposedException">The weight was disposed.</exception>
    public Tensor Unpack()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Values.dtype == ScalarType.Float32 ? Unpack<Float32Format>() : Unpack<BFloat16Format>();
    }

    /// <summary>The same weight in the form that kernels multiply.</summary>
    /// <exception cref="ObjectDisposedException">The weight was disposed.</exception>
    public PackedWeight ToPacked()
    {
        using Tensor dense = Unpack();
        return PackedWeight.Pack(dense);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        Values.Dispose();
        Positions.Dispose();
    }

    private static NMPackedWeight Pack<TFormat>(Tensor weight, int keep, int groupSize)
        where TFormat : struct, IWeightFormat
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor dense = weight.detach().cpu().contiguous();
        int rows = checked((int)dense.shape[0]), columns = checked((int)dense.shape[1]);
        Tensor values = zeros([rows, columns / groupSize * keep], dtype: dense.dtype, device: CPU);
        int bits = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)groupSize));
        Tensor positions = zeros([(values.numel() * bits + 7) / 8], dtype: ScalarType.Byte, device: CPU);
        byte* source = RawMemory.Address(dense), target = RawMemory.Address(values), packed = RawMemory.Address(positions);
        long next = 0;
        for (long group = 0; group < dense.numel() / groupSize; group++)
        {
            int chosen = Choose<TFormat>(source, group, keep, groupSize, columns);
            for (; chosen != 0; chosen &= chosen - 1)
            {
                int position = BitOperations.TrailingZeroCount(chosen);
                if (TFormat.IsNonZero(source, (nint)(group * groupSize + position)))
                {
                    TFormat.Copy(source, (nint)(group * groupSize + position), target, (nint)next);
                }

                WritePosition(packed, next++, bits, position);
            }
        }

        return new NMPackedWeight(rows, columns, keep, groupSize, values.DetachFromDisposeScope(), positions.DetachFromDisposeScope());
    }

    /// <summary>One bit for each position of a non-zero, filled up to the number to keep with the first zeros.</summary>
    private static int Choose<TFormat>(byte* source, long group, int keep, int groupSize, int columns)
        where TFormat : struct, IWeightFormat
    {
        int nonZero = 0;
        for (int position = 0; position < groupSize; position++)
        {
            nonZero |= TFormat.IsNonZero(source, (nint)(group * groupSize + position)) ? 1 << position : 0;
        }

        int missing = keep - BitOperations.PopCount((uint)nonZero);
        if (missing < 0)
        {
            long first = group * groupSize;
            throw new ArgumentException(
                $"Row {first / columns} has {keep - missing} non-zeros in the {groupSize} columns from {first % columns} on, more than {keep}:{groupSize} allows.",
                nameof(source));
        }

        for (; missing > 0; missing--)
        {
            nonZero |= ~nonZero & (nonZero + 1);
        }

        return nonZero;
    }

    private Tensor Unpack<TFormat>()
        where TFormat : struct, IWeightFormat
    {
        Tensor dense = zeros([Rows, Columns], dtype: Values.dtype, device: CPU);
        byte* source = RawMemory.Address(Values), packed = RawMemory.Address(Positions), target = RawMemory.Address(dense);
        int bits = PositionBits;
        long count = Values.numel();
        for (long value = 0; value < count; value++)
        {
            TFormat.Copy(source, (nint)value, target, (nint)(value / Keep * GroupSize + ReadPosition(packed, value, bits)));
        }

        GC.KeepAlive(this);
        return dense;
    }

    private static void WritePosition(byte* packed, long value, int bits, int position)
    {
        for (int bit = 0; bit < bits; bit++)
        {
            long at = value * bits + bit;
            packed[at / 8] |= (byte)(((position >> bit) & 1) << (int)(at % 8));
        }
    }

    private static int ReadPosition(byte* packed, long value, int bits)
    {
        int position = 0;
        for (int bit = 0; bit < bits; bit++)
        {
            long at = value * bits + bit;
            position |= ((packed[at / 8] >> (int)(at % 8)) & 1) << bit;
        }

        return position;
    }
}
