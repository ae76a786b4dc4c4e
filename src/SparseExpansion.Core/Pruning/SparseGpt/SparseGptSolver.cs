using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// SparseGPT for a batch of experts that share one dense weight: block by block, choose what goes, spread the errors
/// inside the block column by column, and update all later columns by one product. Frantar &amp; Alistarh 2023, Algorithm 1.
/// </summary>
internal static class SparseGptSolver
{
    /// <summary>Prunes the weight once per factor.</summary>
    /// <param name="weight">W, [rows, d], float32.</param>
    /// <param name="dead">Input features that no token of the expert uses, bool [k, d]; their weights are zeroed.</param>
    /// <param name="factors">U, the upper Cholesky factors of the inverse Hessians, [k, d, d], float32.</param>
    /// <param name="target">How many weights go. Column blocks and N:M groups choose on updated weights, the scopes layer and row on the dense ones.</param>
    /// <param name="blockSize">Columns in a block.</param>
    /// <param name="kernel">What prunes the columns of one block.</param>
    /// <param name="cancellationToken">Observed between blocks.</param>
    /// <returns>[k, rows, d], float32.</returns>
    public static Tensor Solve(
        Tensor weight, Tensor dead, Tensor factors, SparsityTarget target, int blockSize, Func<ColumnBlock, Tensor> kernel, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        long columns = weight.shape[1];
        Tensor weights = weight.expand(factors.shape[0], -1, -1).clone().contiguous();
        ZeroDeadColumns(weights, dead);
        Tensor diagonal = factors.diagonal(0, 1, 2).unsqueeze(1);
        Tensor? mask = SelectUpFront(weights, diagonal, target);
        for (long start = 0; start < columns; start += blockSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var blockScope = NewDisposeScope();
            long width = Math.Min(blockSize, columns - start);
            Tensor blockFactors = factors.narrow(1, start, width).narrow(2, start, width);
            Tensor? blockMask = mask?.narrow(2, start, width)
                ?? SelectBlock(weights.narrow(2, start, width), diagonal.narrow(2, start, width), target);
            Tensor errors = kernel(new ColumnBlock(weights, start, blockFactors, blockMask, target as NMTarget));
            UpdateLaterColumns(weights, factors, errors, start, width);
        }

        return weights.MoveToOuterDisposeScope();
    }

    private static void ZeroDeadColumns(Tensor weights, Tensor dead)
    {
        using Tensor any = dead.any();
        if (any.item<bool>())
        {
            using Tensor columns = dead.unsqueeze(1);
            weights.masked_fill_(columns, 0);
        }
    }

    /// <summary>|w| / U_jj orders weights as the paper's w² / U_jj² does, without its underflow.</summary>
    private static Tensor Scores(Tensor weights, Tensor diagonal) => weights.abs().div_(diagonal);

    private static Tensor? SelectUpFront(Tensor weights, Tensor diagonal, SparsityTarget target)
    {
        if (target is not UnstructuredTarget { Scope: SparsityScope.Layer or SparsityScope.Row } unstructured)
        {
            return null;
        }

        using Tensor scores = Scores(weights, diagonal);
        return MaskSelection.Select(scores, unstructured.Sparsity, unstructured.Scope);
    }

    private static Tensor? SelectBlock(Tensor block, Tensor diagonal, SparsityTarget target)
    {
        if (target is not UnstructuredTarget unstructured)
        {
            return null;
        }

        using Tensor scores = Scores(block, diagonal);
        return MaskSelection.Select(scores, unstructured.Sparsity, SparsityScope.Layer);
    }

    private static void UpdateLaterColumns(Tensor weights, Tensor factors, Tensor errors, long start, long width)
    {
        long rest = weights.shape[2] - start - width;
        if (rest == 0)
        {
            return;
        }

        Tensor later = weights.narrow(2, start + width, rest);
        Tensor rows = factors.narrow(1, start, width).narrow(2, start + width, rest);
        for (long expert = 0; expert < weights.shape[0]; expert++)
        {
            later.select(0, expert).addmm_(errors.select(0, expert), rows.select(0, expert), alpha: -1);
        }
    }
}
