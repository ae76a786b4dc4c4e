using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Wanda;

/// <summary>Wanda's mathematics, shared with the last rung of SparseGPT's damping ladder.</summary>
internal static class WandaScore
{
    /// <summary>Zeroes the weights of smallest |w_ij| · √(Σ x_j²).</summary>
    /// <param name="weight">[rows, columns], any floating dtype.</param>
    /// <param name="squaredNorms">Σ x_j², [columns].</param>
    /// <param name="target">Share or pattern of the weights that go, by default per row.</param>
    /// <returns>A new tensor like <paramref name="weight"/>.</returns>
    public static Tensor Prune(Tensor weight, Tensor squaredNorms, SparsityTarget target)
    {
        using var scope = NewDisposeScope();
        Tensor norms = squaredNorms.to(weight.device).to(ScalarType.Float64).clamp(min: Scalars.Of(0)).sqrt()
            .to(ScalarType.Float32);
        Tensor scores = weight.to(ScalarType.Float32).mul(norms);
        return weight.masked_fill(MaskSelection.Select(scores, target, SparsityScope.Row), Scalars.Of(0))
            .MoveToOuterDisposeScope();
    }
}
