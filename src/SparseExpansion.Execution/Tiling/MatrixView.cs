using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Rows of float32 or bfloat16 in CPU memory whose elements lie side by side; the owner keeps the memory alive.</summary>
/// <param name="Data">The first element.</param>
/// <param name="RowStride">Elements from one row to the next; may be larger than a row, or 0 to repeat it.</param>
/// <param name="Dtype">float32 or bfloat16.</param>
internal readonly unsafe record struct MatrixView(nint Data, long RowStride, ScalarType Dtype)
{
    /// <summary>Nothing: an absent bias.</summary>
    public static MatrixView None => default;

    public bool IsNone => Data == 0;

    public bool IsBFloat16 => Dtype == ScalarType.BFloat16;

    /// <summary>Bytes of an element.</summary>
    public int ElementSize => IsBFloat16 ? sizeof(ushort) : sizeof(float);

    /// <summary>The first element of a row.</summary>
    public byte* Row(long row) => (byte*)Data + row * RowStride * ElementSize;

    /// <summary>A view of a CPU tensor of one or two dimensions whose last one is contiguous.</summary>
    public static MatrixView Of(Tensor tensor)
    {
        if (tensor.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
        {
            throw new ArgumentException($"The tensor must be float32 or bfloat16, not {tensor.dtype}.", nameof(tensor));
        }

        int dimensions = (int)tensor.dim();
        if (dimensions is not (1 or 2) || (tensor.shape[^1] > 1 && tensor.stride(dimensions - 1) != 1))
        {
            throw new ArgumentException("The tensor must be a vector or a matrix with contiguous rows.", nameof(tensor));
        }

        return tensor.numel() == 0 ? default : new((nint)RawMemory.Address(tensor), dimensions == 2 ? tensor.stride(0) : 0, tensor.dtype);
    }
}
