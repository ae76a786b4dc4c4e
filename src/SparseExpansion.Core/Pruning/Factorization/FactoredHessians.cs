using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

/// <summary>What the damping ladder made of a batch of Hessians.</summary>
/// <param name="Factors">Upper Cholesky factors of the inverses, [k, d, d], float32; the identity for those that fell back to Wanda.</param>
/// <param name="Rungs">The rung reached, one for each of the k Hessians.</param>
internal sealed record FactoredHessians(Tensor Factors, DampingRung[] Rungs);
