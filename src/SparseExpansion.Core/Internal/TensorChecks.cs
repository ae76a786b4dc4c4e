using static TorchSharp.torch;

namespace SparseExpansion.Internal;

/// <summary>Whole-tensor checks that leave no temporaries behind.</summary>
internal static class TensorChecks
{
    /// <summary>True if no element is NaN or infinite.</summary>
    public static bool AllFinite(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.numel() == 0 || tensor.isfinite().all().item<bool>();
    }

    /// <summary>True if shapes and all values are the same.</summary>
    public static bool Equal(Tensor left, Tensor right)
    {
        using var scope = NewDisposeScope();
        return left.shape.SequenceEqual(right.shape) && left.eq(right).all().item<bool>();
    }
}
