using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>A tensor to be written: its description now, its values when they are wanted.</summary>
/// <param name="dtype">Element type.</param>
/// <param name="shape">Sizes.</param>
/// <param name="parts">Yields tensors of this type whose elements, one part after the
/// other, are the tensor's; each lives until the next.</param>
internal sealed class TensorSource(ScalarType dtype, IReadOnlyList<long> shape, Func<IEnumerable<Tensor>> parts)
{
    /// <summary>Element type.</summary>
    public ScalarType DType => dtype;

    /// <summary>Sizes.</summary>
    public IReadOnlyList<long> Shape => shape;

    /// <summary>The values, part by part.</summary>
    public IEnumerable<Tensor> Parts() => parts();

    /// <summary>A tensor that is there already; it stays the caller's.</summary>
    /// <exception cref="ArgumentException">The format has no such type.</exception>
    public static TensorSource Of(string name, Tensor tensor) => tensor is null || tensor.is_sparse
        || SafetensorsDType.NameOf((ElementType)tensor.dtype) is null
        ? throw new ArgumentException(
            $"Tensor '{name}' is null, sparse, or of a dtype other than {SafetensorsDType.Supported}.", nameof(tensor))
        : new TensorSource(tensor.dtype, tensor.shape, () => [tensor]);
}
