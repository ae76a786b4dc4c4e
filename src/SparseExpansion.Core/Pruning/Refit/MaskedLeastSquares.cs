using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary>The exact least squares of every row on its support, by batched Cholesky factorizations.</summary>
internal static class MaskedLeastSquares
{
    /// <summary>
    /// min (ŵ − w)H(ŵ − w)ᵀ for every row over w on its support S: (w − p)_S = H_SS⁻¹ ((ŵ − p)H)_S for any p on S. Rows
    /// are packed to the widest support of their chunk, with 1 on the diagonal of what is padding.
    /// </summary>
    /// <param name="dense">Ŵ, [rows, d].</param>
    /// <param name="pruned">P, [rows, d], in the dtype in which the result will be stored: the support is where it is
    /// not 0.</param>
    /// <param name="hessian">H, [d, d], float32.</param>
    /// <param name="options">Damping and memory.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <returns>The refitted weight in the dtype of <paramref name="pruned"/>; rows that would be no better are those
    /// of <paramref name="pruned"/>.</returns>
    public static (Tensor Weight, RefitReport Report) Refit(
        Tensor dense, Tensor pruned, Tensor hessian, RefitOptions options, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor damped = hessian.clone();
        Tensor diagonal = damped.diagonal();
        diagonal.PlusInPlace(diagonal.mean().mul_(Scalars.Of(options.Damping)));
        Tensor support = pruned.ne(Scalars.Of(0)), counts = support.sum([1L]);
        (Tensor sorted, Tensor order) = counts.sort(dim: 0, descending: true, stable: true);
        Tensor target = dense.to(ScalarType.Float32), start = pruned.to(ScalarType.Float32), result = pruned.clone();
        long[] widths = sorted.cpu().data<long>().ToArray();
        long better = 0, wide = 0;
        for (long from = 0; from < widths.Length && widths[from] > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            long rows = Math.Clamp(
                options.ChunkBytes / (2 * sizeof(double) * widths[from] * widths[from]), 1, widths.Length - from);
            Tensor chosen = order.narrow(0, from, rows);
            Tensor columns = Columns(support.index_select(0, chosen), widths[from]);
            Tensor begin = start.index_select(0, chosen), error = target.index_select(0, chosen).sub_(begin);
            (Tensor change, Tensor failed) = Solve(damped, error, columns, ScalarType.Float32);
            Tensor accepted = Accept(hessian, result, chosen, begin, error, change, failed);
            Tensor again = accepted.logical_not();
            if (again.any().item<bool>())
            {
                Tensor rest = again.nonzero().squeeze(1);
                (change, failed) = Solve(
                    damped, error.index_select(0, rest), columns.index_select(0, rest), ScalarType.Float64);
                Tensor second = Accept(
                    hessian, result, chosen.index_select(0, rest), begin.index_select(0, rest),
                    error.index_select(0, rest), change, failed);
                wide += second.sum().item<long>();
                better += second.sum().item<long>();
            }

            better += accepted.sum().item<long>();
            from += rows;
        }

        return (result.MoveToOuterDisposeScope(), new RefitReport(better, wide, widths.Length - better));
    }

    /// <summary>The columns of every row's support, padded with d: [rows, width], int64.</summary>
    private static Tensor Columns(Tensor support, long width)
    {
        using var scope = NewDisposeScope();
        Tensor indices = TensorArithmetic.Range(support.shape[1], ScalarType.Int64, support.device)
            .expand(support.shape);
        (Tensor sorted, _) = indices.masked_fill(support.logical_not(), Scalars.Of(support.shape[1])).sort(dim: 1);
        return sorted.narrow(1, 0, width).MoveToOuterDisposeScope();
    }

    /// <param name="damped">H with damping, [d, d].</param>
    /// <param name="error">Ŵ − P, [rows, d].</param>
    /// <param name="columns">Supports, [rows, width].</param>
    /// <param name="precision">float32 or float64.</param>
    /// <returns>The step to add to P, [rows, d], and the rows where that failed, bool [rows].</returns>
    private static (Tensor Change, Tensor Failed) Solve(
        Tensor damped, Tensor error, Tensor columns, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        long width = damped.shape[0], rows = columns.shape[0];
        // One more row and column of zeros, for padding to point at.
        Tensor padded = nn.functional.pad(damped.to(precision), [0, 1, 0, 1]);
        Tensor systems = padded.flatten()[(columns.unsqueeze(2) * Scalars.Of(width + 1)).Plus(columns.unsqueeze(1))];
        systems.diagonal(0, 1, 2).PlusInPlace(columns.eq(Scalars.Of(width)).to(precision));
        Tensor gradient = nn.functional.pad(error.to(precision).matmul(damped.to(precision)), [0, 1])
            .gather(1, columns);
        (Tensor factors, Tensor info) = linalg.cholesky_ex(systems);
        Tensor solution = cholesky_solve(gradient.unsqueeze(2), factors).squeeze(2);
        Tensor change = zeros(rows, width + 1, precision, damped.device).scatter_(1, columns, solution)
            .narrow(1, 0, width);
        Tensor failed = info.ne(Scalars.Of(0)).logical_or(solution.isfinite().all(1).logical_not());
        return (change.to(ScalarType.Float32).MoveToOuterDisposeScope(), failed.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Puts refitted rows into the result where they are better as they will be stored, and keep their mask.
    /// </summary>
    private static Tensor Accept(
        Tensor hessian, Tensor result, Tensor chosen, Tensor begin, Tensor error, Tensor change, Tensor failed)
    {
        using var scope = NewDisposeScope();
        Tensor candidate = begin.Plus(change).to(result.dtype), stored = candidate.to(ScalarType.Float32);
        Tensor step = stored - begin;
        // e(w) − e(p) = (w − p)H(w + p − 2ŵ)ᵀ: no cancellation between two large errors.
        Tensor rise = (step.matmul(hessian) * (step - error - error)).sum([1L], type: ScalarType.Float64);
        Tensor sameMask = stored.ne(Scalars.Of(0)).eq(begin.ne(Scalars.Of(0))).all(1);
        Tensor accepted = rise.le(Scalars.Of(0)).logical_and(sameMask).logical_and(failed.logical_not());
        Tensor rows = accepted.nonzero().squeeze(1);
        result.index_copy_(0, chosen.index_select(0, rows), candidate.index_select(0, rows));
        return accepted.MoveToOuterDisposeScope();
    }
}
