using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>What a pruning algorithm hands back before it is measured.</summary>
/// <param name="Weight">[out_features, in_features], pruned weights exactly zero; any floating dtype.</param>
/// <param name="DampingRung">The rung of the damping ladder that succeeded: 0 is the damping asked for; null for pruners without damping.</param>
/// <param name="Convergence">How an iterative pruner ended; null for the others.</param>
/// <param name="Refit">What an exact refit did; null without one.</param>
/// <param name="Grid">The grid that the weights were rounded to; null for weights of full precision. Must outlive the dispose scope.</param>
public sealed record PrunedWeight(
    Tensor Weight, DampingRung? DampingRung = null, Convergence? Convergence = null, RefitReport? Refit = null, QuantizationGrid? Grid = null)
{
    /// <summary>
    /// True for a pruner that may keep more weights than its target says, on purpose. Otherwise that is an error: more than 1 % of the weights
    /// beyond an unstructured target, or any group with more than N of M.
    /// </summary>
    public bool MayKeepMore { get; init; }
}
