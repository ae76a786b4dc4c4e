using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// The column loop of SparseGPT on tensors of any device, all experts and rows at once: for accelerators, where a column
/// is enough work for a launch.
/// </summary>
internal static class TensorBlockKernel
{
    /// <summary>Prunes the columns of a block in place, spreading each column's error over the later ones of the block.</summary>
    /// <returns>The errors (w − q) / U_jj, [k, rows, width], 0 for kept weights.</returns>
    public static Tensor Prune(ColumnBlock block)
    {
        using var scope = NewDisposeScope();
        Tensor target = block.Weights.narrow(2, block.Start, block.Width);
        Tensor weights = target.contiguous();
        Tensor factors = block.Factors;
        Tensor diagonal = factors.diagonal(0, 1, 2).unsqueeze(1);
        Tensor mask = block.Mask ?? empty(weights.shape, ScalarType.Bool, weights.device);
        Tensor errors = zeros_like(weights);
        for (int j = 0; j < block.Width; j++)
        {
            using var columnScope = NewDisposeScope();
            if (block.Groups is { } groups && j % groups.GroupSize == 0)
            {
                Tensor scores = weights.narrow(2, j, groups.GroupSize).abs().div_(diagonal.narrow(2, j, groups.GroupSize));
                mask.narrow(2, j, groups.GroupSize).copy_(MaskSelection.SelectGroups(scores, groups.Keep, groups.GroupSize));
            }

            Tensor column = weights.narrow(2, j, 1);
            Tensor pruned = mask.narrow(2, j, 1);
            Tensor error = column.div(diagonal.narrow(2, j, 1)).mul_(pruned);
            errors.narrow(2, j, 1).copy_(error);
            weights.narrow(2, j, block.Width - j).addcmul_(error, factors.narrow(1, j, 1).narrow(2, j, block.Width - j), -1);
            column.masked_fill_(pruned, 0);
        }

        target.copy_(weights);
        return errors.MoveToOuterDisposeScope();
    }
}
