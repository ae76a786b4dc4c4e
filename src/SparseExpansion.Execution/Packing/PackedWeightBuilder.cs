using SparseExpansion.Internal;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Makes packed weights of dense ones.</summary>
internal static unsafe class PackedWeightBuilder
{
    /// <summary>See <see cref="PackedWeight.Pack(Tensor)"/>.</summary>
    public static PackedWeight Pack(Tensor weight)
    {
        CheckMatrix(weight);
        int rows = checked((int)weight.shape[0]), columns = checked((int)weight.shape[1]);
        return PackDense(weight, nonZeros => PackedLayout.For(rows, columns, nonZeros));
    }

    /// <summary>See <see cref="PackedWeight.Pack(Tensor, QuantizationGrid)"/>; null if a weight is not on the grid.</summary>
    public static PackedWeight? TryPack(Tensor weight, QuantizationGrid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        CheckMatrix(weight);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor dense = weight.detach().cpu();
        QuantizationGrid own = grid.CloneOnHost();
        try
        {
            if (own.Contains(dense))
            {
                return PackCodes(dense, own);
            }
        }
        catch
        {
            own.Dispose();
            throw;
        }

        own.Dispose();
        return null;
    }

    /// <summary>Packs a weight on a grid, which becomes the packed weight's.</summary>
    private static PackedWeight PackCodes(Tensor dense, QuantizationGrid grid)
    {
        PackedLayout layout = PackedLayout.ForCodes(checked((int)dense.shape[0]), checked((int)dense.shape[1]), grid.Quantization);
        using PackedWeight values = PackDense(dense.to(ScalarType.Float32), _ => layout);
        long bytes = (values.NonZeroCount * grid.Quantization.Bits + 7) / 8 + PackedArrays.CodePadding;
        PackedArrays arrays = values.Arrays with
        {
            Values = Allocate(bytes, ScalarType.Byte, checked((int)bytes)),
            Masks = values.Arrays.Masks.alias().DetachFromDisposeScope(),
            RowOrder = values.Arrays.RowOrder.alias().DetachFromDisposeScope(),
            PanelOffsets = values.Arrays.PanelOffsets.alias().DetachFromDisposeScope(),
            Grid = grid,
        };
        var packed = new PackedWeight(arrays, values.NonZeroCount);
        QuantizedPacker.Encode((float*)values.Values, packed);
        return packed;
    }

    private static void CheckMatrix(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || weight.numel() == 0)
        {
            throw new ArgumentException($"The weight must be a non-empty matrix, not [{string.Join(", ", weight.shape)}].", nameof(weight));
        }

        if (weight.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
        {
            throw new ArgumentException($"The weight must be float32 or bfloat16, not {weight.dtype}.", nameof(weight));
        }
    }

    private static PackedWeight PackDense(Tensor weight, Func<long, PackedLayout> layoutFor)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor dense = weight.detach().cpu().contiguous();
        byte* source = RawMemory.Address(dense);
        int rows = (int)dense.shape[0], columns = (int)dense.shape[1];
        long nonZeros = weight.dtype == ScalarType.Float32
            ? PackedWeightPacker.CountNonZeros<Float32Format>(source, columns, rows, columns)
            : PackedWeightPacker.CountNonZeros<BFloat16Format>(source, columns, rows, columns);
        PackedLayout layout = layoutFor(nonZeros);
        var arrays = new PackedArrays(
            layout.Rows, layout.Columns, layout.BlockColumns, layout.PanelRows,
            Allocate(nonZeros + PackedArrays.ValuePadding, weight.dtype, PackedArrays.ValuePadding),
            Allocate(layout.RowBlockCount * layout.MaskBytes + PackedArrays.MaskPadding, ScalarType.Byte, PackedArrays.MaskPadding),
            Allocate(layout.RowBlockCount, ScalarType.Byte, 0),
            Allocate(layout.PanelCount + 1, ScalarType.Int64, 0));
        var packed = new PackedWeight(arrays, nonZeros);
        if (weight.dtype == ScalarType.Float32)
        {
            PackedWeightPacker.Pack<Float32Format>(source, layout.Columns, layout, packed.Values, packed.Masks, packed.RowOrder, packed.PanelOffsets);
        }
        else
        {
            PackedWeightPacker.Pack<BFloat16Format>(source, layout.Columns, layout, packed.Values, packed.Masks, packed.RowOrder, packed.PanelOffsets);
        }

        return packed;
    }

    private static Tensor Allocate(long length, ScalarType dtype, int padding)
    {
        Tensor array = empty([length], dtype: dtype, device: CPU);
        MemoryAdvice.HugePages(RawMemory.Address(array), (nuint)(length * array.element_size()));
        if (padding > 0)
        {
            array.narrow(0, length - padding, padding).zero_();
        }

        return array.DetachFromDisposeScope();
    }
}
