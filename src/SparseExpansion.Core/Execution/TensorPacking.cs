using SparseExpansion.Execution.Packing;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Makes packed weights of dense tensors; see <see cref="PackedTensors"/>.</summary>
internal static unsafe class TensorPacking
{
    /// <summary>Packs a weight as it is.</summary>
    public static PackedWeight Pack(Tensor weight)
    {
        CheckMatrix(weight);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor dense = weight.detach().cpu().contiguous();
        PackedWeight packed = PackedWeightBuilder.Pack(
            RawMemory.Address(dense), checked((int)dense.shape[0]), checked((int)dense.shape[1]),
            (ElementType)dense.dtype, TensorArrays.Create);
        RawMemory.KeepAlive(dense);
        return packed;
    }

    /// <summary>Packs a weight that was rounded, as codes; null if a weight is not on the grid.</summary>
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
                Tensor values = dense.to(ScalarType.Float32).contiguous();
                PackedWeight packed = PackedWeightBuilder.PackCodes(
                    (float*)RawMemory.Address(values), TensorArrays.Of(own), TensorArrays.Create);
                RawMemory.KeepAlive(values);
                return packed;
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

    private static void CheckMatrix(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || weight.numel() == 0)
        {
            throw new ArgumentException(
                $"The weight must be a non-empty matrix, not [{string.Join(", ", weight.shape)}].", nameof(weight));
        }

        if (weight.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
        {
            throw new ArgumentException($"The weight must be float32 or bfloat16, not {weight.dtype}.", nameof(weight));
        }
    }
}
