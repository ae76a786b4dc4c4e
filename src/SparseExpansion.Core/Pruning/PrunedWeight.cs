using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>What a pruning algorithm hands back before it is measured.</summary>
/// <param name="Weight">[out_features, in_features], pruned weights exactly zero; any floating dtype.</param>
/// <param name="DampingRung">The rung of the damping ladder that succeeded: 0 is the damping asked for; null for pruners without damping.</param>
public sealed record PrunedWeight(Tensor Weight, DampingRung? DampingRung = null);
