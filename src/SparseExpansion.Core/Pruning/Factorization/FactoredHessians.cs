using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

/// <summary>A batch of Hessians, factored on the damping ladder.</summary>
/// <param name="Factors">Upper Cholesky factors of the inverses, [k, d, d], float32;
/// the identity for those that fell back to Wanda.</param>
/// <param name="Rungs">The rung reached, one for each of the k Hessians.</param>
internal sealed record FactoredHessians(Tensor Factors, DampingRung[] Rungs);
