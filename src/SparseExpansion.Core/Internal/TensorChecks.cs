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
}
