using SparseExpansion.Execution.Dispatch;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// Multiplications in a process that has libtorch: as many threads as torch uses, and its dense product.
/// </summary>
internal static class TorchProduct
{
    /// <summary>The options, with torch's threads where they name none.</summary>
    public static ExecutionOptions Options(ExecutionOptions options = default) =>
        options with { Threads = options.Threads ?? get_num_threads(), Dense = options.Dense ?? DenseProduct.Shared };
}
