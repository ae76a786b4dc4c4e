using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The upper Cholesky factor of inverses.</summary>
internal static class InverseFactor
{
    /// <summary>
    /// U upper triangular with UᵀU = H⁻¹, for a batch. With J the reversal of order and JHJ = LLᵀ, H = RRᵀ for the upper
    /// triangular R = JLJ, so U = R⁻¹ = J L⁻¹ J: one factorisation and one triangular inverse. The textbook path (factor,
    /// invert, factor again) costs more and loses digits by forming H⁻¹.
    /// </summary>
    /// <param name="hessians">H, [k, d, d], symmetric, float32 or float64.</param>
    /// <returns>
    /// U, [k, d, d], and a bool [k] in host memory that says which could be factored; U is meaningless for the others.
    /// </returns>
    public static (Tensor Factors, bool[] Succeeded) Compute(Tensor hessians)
    {
        using var scope = NewDisposeScope();
        (Tensor lower, Tensor info) = linalg.cholesky_ex(hessians.flip(1, 2), check_errors: false);
        Tensor factors = TriangularInverse.Compute(lower).flip(1, 2);
        Tensor succeeded = info.eq(0).logical_and(factors.isfinite().flatten(1).all(1));
        return (factors.MoveToOuterDisposeScope(), succeeded.cpu().data<bool>().ToArray());
    }
}
