using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>
/// Somebody else's dense matrix product: wins where it has instructions that .NET lacks (bfloat16 dot products) and the
/// tokens are many.
/// </summary>
internal unsafe interface IDenseProduct
{
    /// <summary>Panels that a thread unpacks and multiplies at a time.</summary>
    int PanelsAtATime(PackedWeight weight);

    /// <summary>output[order[i]] = weight · tokens[order[i]] + bias for i &lt; count.</summary>
    /// <param name="weight">The packed weight, of which panels are unpacked.</param>
    /// <param name="tokens">[tokens, in_features].</param>
    /// <param name="order">Token numbers.</param>
    /// <param name="count">Number of them.</param>
    /// <param name="output">[tokens, out_features].</param>
    /// <param name="bias">[out_features] float32, or null.</param>
    /// <param name="options">With threads and instructions set.</param>
    void Multiply(
        PackedWeight weight, MatrixView tokens, int* order, int count, MatrixView output, float* bias,
        ExecutionOptions options);
}
