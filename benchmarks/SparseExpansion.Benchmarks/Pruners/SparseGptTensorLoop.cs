using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Pruners;

/// <summary>
/// SparseGPT as a plain loop of tensor calls over columns: Cholesky, inverse, Cholesky; a sort per block for the
/// threshold.
/// </summary>
internal static class SparseGptTensorLoop
{
    private const int BlockSize = 128;

    public static Tensor Prune(Tensor dense, Tensor hessian, double sparsity)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = dense.clone();
        Tensor factor = Factor(hessian, weight);
        Tensor losses = zeros(weight.shape[0]);
        for (long start = 0; start < weight.shape[1]; start += BlockSize)
        {
            using var blockScope = NewDisposeScope();
            long end = Math.Min(start + BlockSize, weight.shape[1]);
            Tensor block = weight.narrow(1, start, end - start).clone();
            Tensor rows = factor.narrow(0, start, end - start);
            Tensor errors = PruneBlock(block, rows.narrow(1, start, end - start), losses, sparsity);
            weight.narrow(1, start, end - start).copy_(block);
            if (end < weight.shape[1])
            {
                Tensor later = weight.narrow(1, end, weight.shape[1] - end);
                later.sub_(errors.matmul(rows.narrow(1, end, weight.shape[1] - end)));
            }
        }

        return weight.MoveToOuterDisposeScope();
    }

    private static Tensor Factor(Tensor hessian, Tensor weight)
    {
        using var scope = NewDisposeScope();
        Tensor damped = hessian.clone();
        Tensor diagonal = damped.diagonal();
        Tensor dead = diagonal.eq(Scalars.Of(0));
        diagonal.masked_fill_(dead, Scalars.Of(1));
        weight.masked_fill_(dead, Scalars.Of(0));
        diagonal.PlusInPlace(diagonal.mean() * Scalars.Of(0.01));
        Tensor inverse = cholesky_inverse(linalg.cholesky(damped));
        return linalg.cholesky(inverse).t().contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor PruneBlock(Tensor block, Tensor factor, Tensor losses, double sparsity)
    {
        using var scope = NewDisposeScope();
        Tensor scores = block.Squared() / factor.diagonal().Squared();
        (Tensor sorted, _) = scores.flatten().sort();
        Tensor mask = scores <= sorted[(long)(scores.numel() * sparsity)];
        Tensor errors = zeros_like(block);
        for (long j = 0; j < block.shape[1]; j++)
        {
            using var columnScope = NewDisposeScope();
            Tensor column = block.narrow(1, j, 1);
            Tensor scale = factor[j, j];
            Tensor kept = column.masked_fill(mask.narrow(1, j, 1), Scalars.Of(0));
            Tensor error = (column - kept) / scale;
            losses.PlusInPlace(error.Squared().squeeze(1));
            block.narrow(1, j, block.shape[1] - j)
                .sub_(error.matmul(factor.narrow(0, j, 1).narrow(1, j, block.shape[1] - j)));
            column.copy_(kept);
            errors.narrow(1, j, 1).copy_(error);
        }

        return errors.MoveToOuterDisposeScope();
    }
}
