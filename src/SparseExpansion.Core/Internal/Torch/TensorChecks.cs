using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Whole-tensor checks that leave no temporaries behind.</summary>
internal static class TensorChecks
{
    /// <summary>True if no element is NaN or infinite.</summary>
    public static bool AllFinite(Tensor tensor)
    {
        if (tensor.numel() == 0)
        {
            return true;
        }

        // One cheap pass settles nearly every case: a sum is finite only if all
        // its terms are. Finite terms may still overflow.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return tensor.sum().isfinite().item<bool>() || tensor.isfinite().all().item<bool>();
    }

    /// <summary>True if shapes and all values are the same; NaN counts as the same as NaN.</summary>
    public static bool Equal(Tensor left, Tensor right)
    {
        using var scope = NewDisposeScope();
        return left.shape.SequenceEqual(right.shape)
            && left.eq(right).logical_or(left.isnan().logical_and(right.isnan())).all().item<bool>();
    }
}
