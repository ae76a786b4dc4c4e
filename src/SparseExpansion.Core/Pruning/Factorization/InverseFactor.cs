using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

/// <summary>The upper Cholesky factor of inverses.</summary>
internal static class InverseFactor
{
    /// <summary>
    /// U upper triangular with UᵀU = H⁻¹, for a batch. With J the reversal of order and JHJ = LLᵀ, H = RRᵀ for
    /// the upper triangular R = JLJ, so U = R⁻¹ = J L⁻¹ J: one factorization, inverted as it goes. The textbook
    /// path (factor, invert, factor again) costs more and loses digits by forming H⁻¹.
    /// </summary>
    /// <param name="hessians">H, [k, d, d], symmetric, float32 or float64.</param>
    /// <returns>
    /// U, [k, d, d], and a bool [k] that says which could be factored; U is meaningless for the others.
    /// </returns>
    public static (Tensor Factors, bool[] Succeeded) Compute(Tensor hessians)
    {
        using var scope = NewDisposeScope();
        Tensor reversed = hessians.flip(1, 2);
        double epsilon = hessians.dtype == ScalarType.Float64 ? double.BitIncrement(1) - 1 : float.BitIncrement(1) - 1;
        Tensor floors = reversed.diagonal(0, 1, 2).to(ScalarType.Float64).mul(Scalars.Of(epsilon));
        Tensor inverse = zeros(hessians.shape, hessians.dtype, hessians.device);
        Tensor succeeded = ones(hessians.shape[0], ScalarType.Bool, hessians.device);
        Invert(reversed, floors, inverse, succeeded);
        Tensor factors = inverse.flip(1, 2);
        succeeded.logical_and_(factors.isfinite().flatten(1).all(1));
        return (factors.MoveToOuterDisposeScope(), succeeded.cpu().data<bool>().ToArray());
    }

    /// <summary>
    /// L⁻¹ of A = LLᵀ by halves: with A₁₁ done, L₂₁ = A₂₁ L₁₁⁻ᵀ, A₂₂ −=
    /// L₂₁L₂₁ᵀ, and L⁻¹ below its diagonal is −L₂₂⁻¹ L₂₁ L₁₁⁻¹. Nearly all of the work
    /// is matrix products, which unlike the factorizations of linear algebra libraries give the same digits whatever
    /// the number of threads.
    /// </summary>
    /// <param name="matrices">A, [k, d, d]; destroyed.</param>
    /// <param name="floors">Pivots that are noise, [k, d], float64.</param>
    /// <param name="inverse">Receives L⁻¹ on and below the diagonal.</param>
    /// <param name="succeeded">bool [k]; made false where a pivot is not above its floor.</param>
    private static void Invert(Tensor matrices, Tensor floors, Tensor inverse, Tensor succeeded)
    {
        using var scope = NewDisposeScope();
        bool host = matrices.device.type == TorchSharp.DeviceType.CPU;
        long size = matrices.shape[1], leaf = host ? 64 : 512;
        if (size <= leaf)
        {
            succeeded.logical_and_(
                host ? FactorLeaf.OnHost(matrices, floors, inverse) : FactorLeaf.OnDevice(matrices, floors, inverse));
            return;
        }

        long half = (size + (2 * leaf) - 1) / (2 * leaf) * leaf, rest = size - half;
        Tensor first = Part(inverse, 0, 0, half, half), second = Part(inverse, half, half, rest, rest);
        Invert(Part(matrices, 0, 0, half, half), floors.narrow(1, 0, half), first, succeeded);
        Tensor below = Part(matrices, half, 0, rest, half).matmul(first.mT);
        Part(matrices, half, half, rest, rest).sub_(below.matmul(below.mT));
        Invert(Part(matrices, half, half, rest, rest), floors.narrow(1, half, rest), second, succeeded);
        Part(inverse, half, 0, rest, half).copy_(second.matmul(below).matmul(first).neg_());
    }

    private static Tensor Part(Tensor matrices, long row, long column, long rows, long columns) =>
        matrices.narrow(1, row, rows).narrow(2, column, columns);
}
