using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// SparseGPT for a batch of experts that share one dense weight: block by block, choose what goes, spread the errors
/// inside the block column by column, and update all later columns by one product. Frantar &amp; Alistarh 2023,
/// Algorithm 1.
/// </summary>
internal static class SparseGptSolver
{
    /// <summary>Prunes the weight once per factor.</summary>
    /// <param name="weight">W, [rows, d], float32.</param>
    /// <param name="dead">Input features that no token of the expert uses, bool [k, d]; their weights are
    /// zeroed.</param>
    /// <param name="factors">U, the upper Cholesky factors of the inverse Hessians, [k, d, d], float32.</param>
    /// <param name="target">Share or pattern of the weights that go. Column blocks and N:M groups choose on updated
    /// weights, the scopes layer and row on the dense ones.</param>
    /// <param name="blockSize">Columns in a block; a multiple of the groups of the quantization.</param>
    /// <param name="kernel">The kernel that prunes the columns of one block.</param>
    /// <param name="cancellationToken">Observed between blocks.</param>
    /// <returns>[k, rows, d], float32.</returns>
    public static Tensor Solve(
        Tensor weight, Tensor dead, Tensor factors, SparsityTarget target, int blockSize,
        Func<ColumnBlock, Tensor> kernel, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor weights = weight.expand(factors.shape[0], -1, -1).clone().contiguous();
        ZeroDeadColumns(weights, dead);
        Tensor diagonal = factors.diagonal(0, 1, 2).unsqueeze(1);
        Tensor? mask = SelectUpFront(weights, diagonal, target);
        Run(weights, factors, mask, target, null, blockSize, kernel, cancellationToken);
        return weights.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Rounds weights that are pruned already: the mask stays, and the errors of rounding are spread over later
    /// columns. What reaches pruned weights is spread on from there.
    /// </summary>
    /// <remarks>
    /// The weights that reach a column are those that rounding while pruning would give with the same mask, because
    /// spreading is linear. But grids are made of weights that have made up for the pruned ones already: rounding in
    /// the pass that prunes meets larger weights than its grids were made for (perplexity of TinyStories-656K at 50 %
    /// and 4 bits 36.23, this way 35.76; 35.37 unrounded).
    /// </remarks>
    /// <param name="pruned">P, [k, rows, d], float32; zeros stay zeros.</param>
    /// <param name="factors">See <see cref="Solve"/>.</param>
    /// <param name="quantization">The rounding of the weights.</param>
    /// <param name="blockSize">Columns in a block; a multiple of the groups of the quantization.</param>
    /// <param name="kernel">The kernel that rounds the columns of one block.</param>
    /// <param name="cancellationToken">Observed between blocks.</param>
    /// <returns>[k, rows, d], float32, and the grids that they lie on.</returns>
    public static (Tensor Weights, BlockGrid Grid) Quantize(
        Tensor pruned, Tensor factors, WeightQuantization quantization, int blockSize, Func<ColumnBlock, Tensor> kernel,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor weights = pruned.clone().contiguous(), mask = pruned.eq(Scalars.Of(0));
        BlockGrid grid = BlockGrid.Create(weights, quantization);
        Run(weights, factors, mask, null, grid, blockSize, kernel, cancellationToken);
        grid.Scales.MoveToOuterDisposeScope();
        grid.Zeros.MoveToOuterDisposeScope();
        return (weights.MoveToOuterDisposeScope(), grid);
    }

    /// <summary>
    /// The weights that go by scores which are known beforehand, in the sets that <see cref="Solve"/> chooses in.
    /// </summary>
    /// <param name="scores">[k, rows, d], float32.</param>
    /// <param name="target">Share or pattern of the weights that go.</param>
    /// <param name="blockSize">Columns in a block.</param>
    /// <returns>bool, the shape of <paramref name="scores"/>.</returns>
    public static Tensor Select(Tensor scores, SparsityTarget target, int blockSize)
    {
        if (target is not UnstructuredTarget { Scope: SparsityScope.PrunerDefault or SparsityScope.ColumnBlock } unstructured)
        {
            return MaskSelection.Select(scores, target, SparsityScope.ColumnBlock);
        }

        using var scope = NewDisposeScope();
        long columns = scores.shape[2];
        Tensor mask = empty(scores.shape, ScalarType.Bool, scores.device);
        for (long start = 0; start < columns; start += blockSize)
        {
            long width = Math.Min(blockSize, columns - start);
            double share = unstructured.SparsityOf(scores.shape[1], start, width, columns);
            mask.narrow(2, start, width)
                .copy_(MaskSelection.Select(scores.narrow(2, start, width), share, SparsityScope.Layer));
        }

        return mask.MoveToOuterDisposeScope();
    }

    /// <summary>The kernel that prunes a block on the device of a tensor.</summary>
    public static Func<ColumnBlock, Tensor> KernelFor(Tensor weights) =>
        weights.device.type == TorchSharp.DeviceType.CPU ? PanelBlockKernel.Prune : TensorBlockKernel.Prune;

    private static void Run(
        Tensor weights, Tensor factors, Tensor? mask, SparsityTarget? target, BlockGrid? grid, int blockSize,
        Func<ColumnBlock, Tensor> kernel, CancellationToken cancellationToken)
    {
        long columns = weights.shape[2];
        Tensor diagonal = factors.diagonal(0, 1, 2).unsqueeze(1);
        for (long start = 0; start < columns; start += blockSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var blockScope = NewDisposeScope();
            long width = Math.Min(blockSize, columns - start);
            Tensor blockFactors = factors.narrow(1, start, width).narrow(2, start, width);
            Tensor? blockMask = mask?.narrow(2, start, width)
                ?? SelectBlock(
                    weights.narrow(2, start, width), diagonal.narrow(2, start, width), target, start, columns);
            Tensor errors = kernel(new ColumnBlock(weights, start, blockFactors, blockMask, target as NMTarget, grid));
            UpdateLaterColumns(weights, factors, errors, start, width);
        }
    }

    private static void ZeroDeadColumns(Tensor weights, Tensor dead)
    {
        using Tensor any = dead.any();
        if (any.item<bool>())
        {
            using Tensor columns = dead.unsqueeze(1);
            weights.masked_fill_(columns, Scalars.Of(0));
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
        return MaskSelection.Select(scores, unstructured, unstructured.Scope);
    }

    private static Tensor? SelectBlock(Tensor block, Tensor diagonal, SparsityTarget? target, long start, long columns)
    {
        if (target is not UnstructuredTarget unstructured)
        {
            return null;
        }

        using Tensor scores = Scores(block, diagonal);
        double share = unstructured.SparsityOf(block.shape[1], start, block.shape[2], columns);
        return MaskSelection.Select(scores, share, SparsityScope.Layer);
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
