using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Tensors as the kernels see them.</summary>
internal static class TensorMatrix
{
    extension(MatrixView)
    {
        /// <summary>A view of a CPU tensor of one or two dimensions whose last one is contiguous.</summary>
        public static unsafe MatrixView Of(Tensor tensor)
        {
            if (tensor.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
            {
                throw new ArgumentException(
                    $"The tensor must be float32 or bfloat16, not {tensor.dtype}.", nameof(tensor));
            }

            int dimensions = (int)tensor.dim();
            if (dimensions is not (1 or 2) || (tensor.shape[^1] > 1 && tensor.stride(dimensions - 1) != 1))
            {
                throw new ArgumentException(
                    "The tensor must be a vector or a matrix with contiguous rows.", nameof(tensor));
            }

            return tensor.numel() == 0
                ? default
                : new(
                    (nint)RawMemory.Address(tensor), dimensions == 2 ? tensor.stride(0) : 0, (Execution.ElementType)tensor.dtype);
        }
    }
}
