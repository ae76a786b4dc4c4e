using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary>
/// Least squares on a support by conjugate gradients, all rows of all experts at once: one product with the Hessian an
/// iteration, where factoring every row's own normal equations costs far more. Wants Hessians of unit diagonal, so that
/// Jacobi's preconditioner is the identity.
/// </summary>
/// <remarks>
/// The iteration starts from a residual in float32 and solves for the change of the weights, so that products in
/// bfloat16 lose a share of that change only, which is nothing to speak of unless the Hessian is ill-conditioned. Some
/// rows of each expert are looked at to know: where their errors are not what the iteration reckons, float32 begins
/// anew with all rows of the expert, and the better result of each row stays. It begins from the dense weights on the
/// support: bfloat16 goes astray in directions of small eigenvalues, in which conjugate gradients are slowest to come
/// back.
/// </remarks>
internal sealed class ConjugateGradients
{
    /// <summary>Errors that are higher than reckoned by more than this share of them show what bfloat16 lost.</summary>
    private const double Suspicion = 3e-4;

    /// <summary>Rows of an expert whose errors are looked at, at least.</summary>
    private const long Witnesses = 32;

    private readonly Tensor _hessians;
    private readonly Tensor _factors;
    private readonly Tensor _dense;
    private readonly Tensor _pruned;
    private readonly Tensor _solution;
    private readonly Tensor _residual;
    private readonly Tensor _direction;
    private readonly Tensor _squares;
    private readonly Tensor _rowErrors;
    private readonly Tensor _errors;
    private readonly Tensor _gradients;

    private ConjugateGradients(Tensor hessians, Tensor dense, Tensor start, Tensor pruned, ScalarType precision)
    {
        _hessians = hessians;
        _factors = hessians.to(precision);
        _dense = dense;
        _pruned = pruned;
        _solution = start;
        using var scope = NewDisposeScope();
        _direction = (dense - start).MoveToOuterDisposeScope();
        _residual = _direction.bmm(hessians).MoveToOuterDisposeScope();
        (_rowErrors, Tensor gradients, _squares) = ConjugateStep.Begin(_direction, _residual, pruned);
        _rowErrors.MoveToOuterDisposeScope();
        _squares.MoveToOuterDisposeScope();
        _errors = Sum(_rowErrors).MoveToOuterDisposeScope();
        _gradients = Sum(gradients).MoveToOuterDisposeScope();
    }

    /// <summary>Minimizes tr((Ŵ − W)H(Ŵ − W)ᵀ) over W on a support.</summary>
    /// <param name="hessians">H, [k, d, d], float32, positive definite.</param>
    /// <param name="dense">Ŵ, [k, rows, d], float32.</param>
    /// <param name="start">Start of W, [k, rows, d], float32, 0 outside the support; changed in place to the
    /// solution.</param>
    /// <param name="pruned">True outside the support, bool [k, rows, d].</param>
    /// <param name="precision">dtype of the iteration's products: float32, or bfloat16 on hosts that multiply
    /// it.</param>
    /// <param name="tolerance">An expert is done when an iteration lowers its error by less than this share of
    /// it.</param>
    /// <param name="maxIterations">The most iterations; those in float32 after some in bfloat16 are counted
    /// anew.</param>
    /// <param name="cancellationToken">Observed between iterations.</param>
    /// <returns>For every expert its iterations, and ‖((Ŵ − W)H)_S‖, as the last iteration carries it on, as a share of
    /// ‖(Ŵ − W)H‖ at its start.</returns>
    public static (int[] Iterations, double[] Residuals) Solve(
        Tensor hessians, Tensor dense, Tensor start, Tensor pruned, ScalarType precision, double tolerance,
        int maxIterations, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var solver = new ConjugateGradients(hessians, dense, start, pruned, precision);
        int[] iterations = solver.Iterate(tolerance, maxIterations, cancellationToken);
        Tensor left = Sum(solver._squares);
        long[] misled = precision == ScalarType.Float32 ? [] : solver.Misled();
        if (misled.Length > 0)
        {
            Tensor experts = tensor(misled, device: dense.device);
            ConjugateGradients exact = solver.BeginAnew(experts);
            int[] more = exact.Iterate(tolerance, maxIterations, cancellationToken);
            start.index_copy_(0, experts, exact.BetterOf(start.index_select(0, experts)));
            left.index_copy_(0, experts, Sum(exact._squares));
            for (int i = 0; i < misled.Length; i++)
            {
                iterations[misled[i]] += more[i];
            }
        }

        Tensor shares = (left / solver._gradients).sqrt().nan_to_num(0).cpu();
        return (iterations, shares.data<double>().ToArray());
    }

    private int[] Iterate(double tolerance, int maxIterations, CancellationToken cancellationToken)
    {
        Tensor open = ones_like(_errors, dtype: ScalarType.Bool),
            iterations = zeros_like(_errors, dtype: ScalarType.Int32);
        for (int iteration = 0; iteration < maxIterations && open.any().item<bool>(); iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            Tensor product = _direction.to(_factors.dtype).bmm(_factors);
            iterations.PlusInPlace(open);
            // Experts that are done stand still: going on would make them depend on the others of the batch.
            Tensor gains = ConjugateStep.Take(_direction, product, _pruned, open, _solution, _residual, _squares),
                gain = Sum(gains);
            _rowErrors.sub_(gains);
            _errors.sub_(gain);
            open.logical_and_(gain.gt(_errors.clamp(min: Scalars.Of(0)) * Scalars.Of(tolerance)));
        }

        return iterations.cpu().data<int>().ToArray();
    }

    /// <summary>Experts of which some rows' errors are higher than the iteration reckons.</summary>
    private long[] Misled()
    {
        using var scope = NewDisposeScope();
        long rows = _dense.shape[1], stride = Math.Max(1, rows / Witnesses);
        Tensor difference = Every(_dense, stride) - Every(_solution, stride);
        Tensor errors = Sum(RowErrors(difference, _hessians)), reckoned = Sum(Every(_rowErrors, stride));
        Tensor trusted = errors.sub(reckoned).le(errors * Scalars.Of(Suspicion));
        return trusted.logical_not().nonzero().flatten().cpu().data<long>().ToArray();
    }

    private ConjugateGradients BeginAnew(Tensor experts)
    {
        Tensor dense = _dense.index_select(0, experts), pruned = _pruned.index_select(0, experts);
        return new ConjugateGradients(
            _hessians.index_select(0, experts), dense, dense.masked_fill(pruned, Scalars.Of(0)), pruned,
            ScalarType.Float32);
    }

    /// <summary>Of each row the solution, or another one that is better.</summary>
    private Tensor BetterOf(Tensor other) =>
        where(RowErrors(_dense - other, _hessians).lt(RowErrors(_dense - _solution, _hessians)), other, _solution);

    private static Tensor RowErrors(Tensor difference, Tensor hessians) =>
        ConjugateStep.Dots(difference, difference.bmm(hessians));

    private static Tensor Every(Tensor values, long stride) => values.slice(1, 0, values.shape[1], stride);

    /// <summary>The sum over an expert's rows, [k], float64.</summary>
    private static Tensor Sum(Tensor rows)
    {
        using Tensor flat = rows.squeeze(2);
        return flat.sum([1L], type: ScalarType.Float64);
    }
}
