using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>A tensor to be written: its description now, its values when they are wanted.</summary>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Parts">Yields tensors of this type whose elements, one part after the other, are the tensor's; each lives until the next.</param>
internal sealed record TensorSource(ScalarType DType, IReadOnlyList<long> Shape, Func<IEnumerable<Tensor>> Parts)
{
    public long ByteLength => Shape.Aggregate((long)SafetensorsDType.SizeOf(DType), (bytes, size) => checked(bytes * size));

    /// <summary>A tensor that is there already; it stays the caller's.</summary>
    /// <exception cref="ArgumentException">The format has no such type.</exception>
    public static TensorSource Of(string name, Tensor tensor) => tensor is null || tensor.is_sparse || SafetensorsDType.NameOf(tensor.dtype) is null
        ? throw new ArgumentException($"Tensor '{name}' is null, sparse, or of a dtype other than {SafetensorsDType.Supported}.", nameof(tensor))
        : new TensorSource(tensor.dtype, tensor.shape, () => [tensor]);
}
