using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Tensors in messages.</summary>
internal static class TensorText
{
    /// <summary>Data type and shape, as <c>Float32 [3, 4]</c>.</summary>
    public static string Of(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";
}
