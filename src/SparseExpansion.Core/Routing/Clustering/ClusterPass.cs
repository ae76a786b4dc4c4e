using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>Sums over the tokens for fixed centroids, from one pass; owns its tensors.</summary>
/// <param name="Sums">Sum of the tokens nearest to each centroid, [k, features], float64.</param>
/// <param name="Counts">Number of these tokens, [k].</param>
/// <param name="Potential">Inertia less Σ‖x‖², which no choice of centroids
/// changes: Σ min_j (‖c_j‖² − 2⟨x, c_j⟩).</param>
internal sealed record ClusterPass(Tensor Sums, long[] Counts, double Potential) : IDisposable
{
    public void Dispose() => Sums.Dispose();
}
