using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// Layer-wise pruning in coordinates in which every input feature has energy 1: Ŵ ↦ ŴE, H ↦ E⁻¹HE⁻¹ with E
/// = diag(H)^½. Meng et al. 2024 (arXiv 2406.07831), section 3.3: the penalty
/// of ADMM then means the same for all features.
/// </summary>
/// <param name="Hessians">[k, d, d], float32, unit diagonal.</param>
/// <param name="Weights">The scaled dense weights, [k, rows, d], float32; 0 in columns that no token uses.</param>
/// <param name="Scales">E, [k, 1, d], float32.</param>
internal sealed record ScaledProblem(Tensor Hessians, Tensor Weights, Tensor Scales)
{
    /// <summary>Scales damped Hessians and one dense weight.</summary>
    /// <param name="damped">[k, d, d], float32, diagonal above 0; scaled in place.</param>
    /// <param name="weight">[rows, d], float32.</param>
    /// <param name="dead">Input features that no token uses, bool [k, d].</param>
    public static ScaledProblem Create(Tensor damped, Tensor weight, Tensor dead)
    {
        using var scope = NewDisposeScope();
        Tensor scales = ToUnitDiagonal(damped);
        Tensor weights = (weight.unsqueeze(0) * scales.masked_fill(dead.unsqueeze(1), Scalars.Of(0))).contiguous();
        return new ScaledProblem(damped, weights.MoveToOuterDisposeScope(), scales.MoveToOuterDisposeScope());
    }

    /// <summary>Divides rows and columns by the roots of the diagonal, in place.</summary>
    /// <returns>The roots, [k, 1, d].</returns>
    public static Tensor ToUnitDiagonal(Tensor matrices)
    {
        using var scope = NewDisposeScope();
        Tensor scales = matrices.diagonal(0, 1, 2).sqrt();
        matrices.div_(scales.unsqueeze(1)).div_(scales.unsqueeze(2));
        return scales.unsqueeze(1).MoveToOuterDisposeScope();
    }
}
