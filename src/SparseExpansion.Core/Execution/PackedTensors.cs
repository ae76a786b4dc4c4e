using SparseExpansion.Execution.Packing;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Tensors in and out of <see cref="PackedWeight"/>.</summary>
public static unsafe class PackedTensors
{
    extension(PackedWeight packed)
    {
        /// <summary>Packs a dense weight.</summary>
        /// <param name="weight">[out_features, in_features], float32 or bfloat16, any device and strides; not
        /// changed.</param>
        /// <exception cref="ArgumentException">The weight is not a matrix of a supported dtype with at least one
        /// element.</exception>
        public static PackedWeight Pack(Tensor weight)
        {
            CheckMatrix(weight);
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor dense = weight.detach().cpu().contiguous();
            PackedWeight made = PackedWeightBuilder.Pack(
                RawMemory.Address(dense), checked((int)dense.shape[0]), checked((int)dense.shape[1]),
                (ElementType)dense.dtype, TensorArrays.Create);
            RawMemory.KeepAlive(dense);
            return made;
        }

        /// <summary>Packs a weight that was rounded, as codes.</summary>
        /// <param name="weight"> [out_features, in_features], float32 or bfloat16, any device and strides; not changed.
        /// Codes of 8 bits that are more than 128 steps from zero cannot be told apart in bfloat16: the nearest one is
        /// taken.
        /// </param>
        /// <param name="grid">The grid that it was rounded to, on any device; copied.</param>
        /// <exception cref="ArgumentException"> The weight is not a matrix of a supported dtype with at least one
        /// element, the grid is for another shape, or a weight is not on it.
        /// </exception>
        public static PackedWeight Pack(Tensor weight, QuantizationGrid grid) => TryPack(weight, grid)
            ?? throw new ArgumentException(
                "The weight has values that are not on the grid; round it first, or pack it without a grid.",
                nameof(weight));

        /// <summary>The rounding of the weights; null for weights of full precision.</summary>
        public WeightQuantization? Quantization => packed.Grid?.QuantizationOf();

        /// <summary>The dense weight: [out_features, in_features], the packed dtype, CPU.</summary>
        public Tensor Unpack()
        {
            packed.Verify();
            Tensor dense = empty([packed.Rows, packed.Columns], dtype: (ScalarType)packed.DType, device: CPU);
            packed.UnpackTo(RawMemory.Address(dense));
            RawMemory.KeepAlive(dense);
            return dense;
        }

        /// <summary>
        /// tokens · weightᵀ + bias, in the dtype of the tokens; sums are float32. Gradients flow to tokens and bias;
        /// the weight has none.
        /// </summary>
        /// <param name="tokens">[…, in_features], float32 or bfloat16, CPU.</param>
        /// <param name="bias">[out_features], float32 or bfloat16, or null.</param>
        /// <returns>[…, out_features].</returns>
        /// <exception cref="ArgumentException">A shape or dtype does not fit.</exception>
        public Tensor Multiply(Tensor tokens, Tensor? bias = null)
        {
            ArgumentNullException.ThrowIfNull(tokens);
            packed.Verify();
            return DifferentiableProduct.Compute(tokens, bias, () => PackedProduct.Multiply(packed, tokens, bias), gradient =>
            {
                using Tensor dense = packed.Unpack();
                return gradient.matmul(dense.to(gradient.dtype));
            });
        }
    }

    /// <summary>Packs a weight that was rounded, as codes; null if a weight is not on the grid.</summary>
    internal static PackedWeight? TryPack(Tensor weight, QuantizationGrid grid)
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
