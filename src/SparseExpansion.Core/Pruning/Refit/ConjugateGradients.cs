using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Least squares on a support by conjugate gradients, all rows of all experts at once: one product with the Hessian an
/// iteration, where factoring every row's own normal equations costs far more. Wants Hessians of unit diagonal, so that
/// Jacobi's preconditioner is the identity.
/// </summary>
internal static class ConjugateGradients
{
    /// <summary>Minimises tr((Ŵ − W)H(Ŵ − W)ᵀ) over W on a support.</summary>
    /// <param name="hessians">H, [k, d, d], float32, positive definite.</param>
    /// <param name="dense">Ŵ, [k, rows, d], float32.</param>
    /// <param name="start">Where W begins, [k, rows, d], float32, 0 outside the support; changed in place to the solution.</param>
    /// <param name="support">1 on the support and 0 outside, [k, rows, d], float32.</param>
    /// <param name="tolerance">An expert is done when an iteration lowers its error by less than this share of it.</param>
    /// <param name="maxIterations">The most iterations.</param>
    /// <param name="cancellationToken">Observed between iterations.</param>
    /// <returns>For every expert its iterations, and ‖((Ŵ − W)H)_S‖ as a share of ‖(Ŵ − W)H‖ at the start.</returns>
    public static (int[] Iterations, double[] Residuals) Solve(
        Tensor hessians, Tensor dense, Tensor start, Tensor support, double tolerance, int maxIterations, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor residual, error, gradient;
        using (var inner = NewDisposeScope())
        {
            Tensor difference = dense - start, product = difference.bmm(hessians);
            error = Sums(difference.mul_(product)).MoveToOuterDisposeScope();
            gradient = Sums(product.square()).MoveToOuterDisposeScope();
            residual = product.mul_(support).MoveToOuterDisposeScope();
        }

        Tensor direction = residual.clone(), square = Dots(residual, residual);
        Tensor open = ones_like(error, dtype: ScalarType.Bool), iterations = zeros_like(error, dtype: ScalarType.Int32);
        for (int iteration = 0; iteration < maxIterations && open.any().item<bool>(); iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            Tensor product = direction.bmm(hessians).mul_(support);
            Tensor curvature = Dots(direction, product);
            // Experts that are done stand still: going on would make them depend on the others of the batch.
            Tensor moves = curvature.gt(0).logical_and(open.reshape(-1, 1, 1));
            Tensor step = where(moves, square / curvature, zeros_like(curvature));
            iterations.add_(open);
            start.addcmul_(direction, step, 1);
            residual.addcmul_(product, step, -1);
            Tensor gain = (step * square).sum([1L, 2L], type: ScalarType.Float64);
            Tensor next = Dots(residual, residual);
            Tensor turn = where(square.gt(0), next / square, zeros_like(square));
            direction.mul_(turn).add_(residual);
            square.copy_(next);
            error.sub_(gain);
            open.logical_and_(gain.gt(error.clamp(min: 0) * tolerance));
        }

        Tensor share = (Sums(residual.square()) / gradient).sqrt().nan_to_num(0);
        return (iterations.cpu().data<int>().ToArray(), share.cpu().data<double>().ToArray());
    }

    /// <summary>Inner products of rows, [k, rows, 1].</summary>
    private static Tensor Dots(Tensor left, Tensor right)
    {
        using Tensor product = left * right;
        return product.sum([2L], keepdim: true);
    }

    /// <summary>Sums over an expert, [k], float64. By rows first: a sum of everything at once would round by the number of threads.</summary>
    private static Tensor Sums(Tensor values)
    {
        using Tensor rows = values.sum([2L], type: ScalarType.Float64);
        return rows.sum([1L]);
    }
}
