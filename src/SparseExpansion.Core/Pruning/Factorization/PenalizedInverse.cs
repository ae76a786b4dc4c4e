using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>(H + ρI)⁻¹ from Cholesky factors.</summary>
internal static class PenalizedInverse
{
    /// <summary>(H + ρI)⁻¹ of positive definite H.</summary>
    /// <param name="hessians">H, [k, d, d], float32.</param>
    /// <param name="penalty">ρ, above 0.</param>
    /// <returns>[k, d, d].</returns>
    /// <exception cref="PruningException">H + ρI cannot be factored.</exception>
    public static Tensor Compute(Tensor hessians, double penalty)
    {
        using var scope = NewDisposeScope();
        Tensor penalized = hessians.clone();
        penalized.diagonal(0, 1, 2).add_(penalty);
        (Tensor factors, bool[] succeeded) = InverseFactor.Compute(penalized);
        return succeeded.All(success => success)
            ? FromFactor(factors).MoveToOuterDisposeScope()
            : throw new PruningException($"H + {penalty}·I could not be factored: the Hessian is not positive definite in float32; raise the damping.");
    }

    /// <summary>UᵀU of upper triangular U = [A B; 0 C], as [AᵀA, AᵀB; BᵀA, BᵀB + CᵀC]: half the work of the plain product.</summary>
    /// <param name="factors">U, [k, d, d].</param>
    public static Tensor FromFactor(Tensor factors)
    {
        using var scope = NewDisposeScope();
        long size = factors.shape[1], half = size / 2, rest = size - half;
        if (size < 128)
        {
            return factors.mT.matmul(factors).MoveToOuterDisposeScope();
        }

        Tensor product = empty_like(factors);
        Tensor a = factors.narrow(1, 0, half).narrow(2, 0, half), b = factors.narrow(1, 0, half).narrow(2, half, rest);
        Tensor c = factors.narrow(1, half, rest).narrow(2, half, rest), corner = a.mT.matmul(b);
        product.narrow(1, 0, half).narrow(2, 0, half).copy_(FromFactor(a));
        product.narrow(1, 0, half).narrow(2, half, rest).copy_(corner);
        product.narrow(1, half, rest).narrow(2, 0, half).copy_(corner.mT);
        product.narrow(1, half, rest).narrow(2, half, rest).copy_(FromFactor(c).add_(b.mT.matmul(b)));
        return product.MoveToOuterDisposeScope();
    }
}
