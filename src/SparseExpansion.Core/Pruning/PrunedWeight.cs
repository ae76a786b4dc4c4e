using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The result of a pruning algorithm before it is measured.</summary>
/// <param name="weight">[out_features, in_features], pruned weights exactly zero; any floating dtype.</param>
public sealed class PrunedWeight(Tensor weight)
{
    /// <summary>[out_features, in_features], pruned weights exactly zero.</summary>
    public Tensor Weight { get; } = weight;

    /// <summary>The algorithm's reports on its work; empty by default.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<PruningDiagnostic> Diagnostics
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = [];

    /// <summary>
    /// The grid that the weights were rounded to; null for weights of full precision. Must outlive the dispose scope.
    /// </summary>
    public QuantizationGrid? Grid { get; init; }

    /// <summary>
    /// True for a pruner that may keep more weights than its target says, on purpose. Otherwise that is an error: more
    /// than 1 % of the weights beyond an unstructured target, or any group with more than N of M.
    /// </summary>
    public bool MayKeepMore { get; init; }
}
