using SparseExpansion.Pruning.Selection;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// The column loop of SparseGPT on tensors of any device, all experts and rows at once: for accelerators, where a
/// column is enough work for a launch.
/// </summary>
internal static class TensorBlockKernel
{
    /// <summary>
    /// Prunes the columns of a block in place, spreading each column's error over the later ones of the block.
    /// </summary>
    /// <returns>The errors (w − q) / U_jj, [k, rows, width], 0 for weights that stay as they are.</returns>
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
                Tensor scores = weights.narrow(2, j, groups.GroupSize).abs()
                    .div_(diagonal.narrow(2, j, groups.GroupSize));
                mask.narrow(2, j, groups.GroupSize)
                    .copy_(MaskSelection.SelectGroups(scores, groups.Keep, groups.GroupSize));
            }

            Tensor column = weights.narrow(2, j, 1);
            Tensor pruned = mask.narrow(2, j, 1);
            Tensor kept = (block.Grid is null ? column : Rounded(block, weights, mask, j))
                .masked_fill(pruned, Scalars.Of(0));
            Tensor error = (column - kept).div_(diagonal.narrow(2, j, 1));
            errors.narrow(2, j, 1).copy_(error);
            weights.narrow(2, j, block.Width - j)
                .addcmul_(error, factors.narrow(1, j, 1).narrow(2, j, block.Width - j), Scalars.Of(-1));
            column.copy_(kept);
        }

        target.copy_(weights);
        return errors.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The nearest values of the grids to the weights of a column; the first column of a group makes its grid.
    /// </summary>
    private static Tensor Rounded(ColumnBlock block, Tensor weights, Tensor mask, int column)
    {
        using var scope = NewDisposeScope();
        BlockGrid grid = block.Grid!;
        int maximumCode = grid.Quantization.MaximumCode;
        long group = grid.GroupOf(block.Start + column);
        Tensor scale = grid.Scales.narrow(2, group, 1), zero = grid.Zeros.narrow(2, group, 1);
        if (grid.Quantization.GroupSize is { } size && (block.Start + column) % size == 0)
        {
            long width = Math.Min(size, block.Width - column);
            Tensor kept = weights.narrow(2, column, width).masked_fill(mask.narrow(2, column, width), Scalars.Of(0));
            (Tensor newScale, Tensor newZero) = GridFunctions.Fit(kept, maximumCode);
            scale.copy_(newScale);
            zero.copy_(newZero);
        }

        return GridFunctions.Round(weights.narrow(2, column, 1), scale, zero, maximumCode).MoveToOuterDisposeScope();
    }
}
