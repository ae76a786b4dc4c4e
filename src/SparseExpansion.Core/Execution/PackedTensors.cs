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
        public static PackedWeight Pack(Tensor weight) => TensorPacking.Pack(weight);

        /// <summary>Packs a weight that was rounded, as codes.</summary>
        /// <param name="weight"> [out_features, in_features], float32 or bfloat16, any device and strides; not changed.
        /// Codes of 8 bits that are more than 128 steps from zero cannot be told apart in bfloat16: the nearest one is
        /// taken.
        /// </param>
        /// <param name="grid">The grid that it was rounded to, on any device; copied.</param>
        /// <exception cref="ArgumentException"> The weight is not a matrix of a supported dtype with at least one
        /// element, the grid is for another shape, or a weight is not on it.
        /// </exception>
        public static PackedWeight Pack(Tensor weight, QuantizationGrid grid) => TensorPacking.TryPack(weight, grid)
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
}
