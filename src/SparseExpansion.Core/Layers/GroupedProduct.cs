using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// One matrix product for each group of rows, as a single call on the device: libtorch's grouped product, which
/// TorchSharp does not expose, reached through a fixed script.
/// </summary>
internal static class GroupedProduct
{
    private const string Function = "multiply";

    private static readonly Lazy<jit.CompilationUnit> s_script = new(() => jit.compile($"""
        def {Function}(rows: Tensor, weights: Tensor, ends: Tensor) -> Tensor:
            return torch._grouped_mm(rows, weights.transpose(1, 2), ends)

        """));

    /// <summary>libtorch's grouped product wants rows that start at multiples of 16 bytes, and no float64.</summary>
    public static bool Supports(Tensor weights) =>
        weights.dtype is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16
            && weights.shape[^1] * weights.ElementSize % 16 == 0;

    /// <summary>rows[ends[g − 1] .. ends[g]] · weights[g]ᵀ for every group g.</summary>
    /// <param name="rows">[rows, in_features].</param>
    /// <param name="weights">[groups, out_features, in_features], the dtype of the rows.</param>
    /// <param name="ends">int32 [groups], rising, the last one the number of rows.</param>
    /// <returns>[rows, out_features].</returns>
    public static Tensor Multiply(Tensor rows, Tensor weights, Tensor ends) =>
        s_script.Value.Invoke(Function, rows, weights, ends);
}
