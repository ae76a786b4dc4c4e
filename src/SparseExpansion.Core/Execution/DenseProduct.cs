using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution;

/// <summary>libtorch's dense product.</summary>
internal sealed unsafe class DenseProduct : IDenseProduct
{
    /// <summary>One for all threads: each multiplies with scratch memory of its own.</summary>
    public static DenseProduct Shared { get; } = new();

    /// <inheritdoc/>
    public int PanelsAtATime(PackedWeight weight) => DenseSlices.PanelsOfSlice(weight);

    /// <inheritdoc/>
    public void Multiply(
        PackedWeight weight, MatrixView tokens, int* order, int count, MatrixView output, float* bias,
        ExecutionOptions options) =>
        DenseWork.Current.Multiply(weight, tokens, order, count, output, bias, options);
}
