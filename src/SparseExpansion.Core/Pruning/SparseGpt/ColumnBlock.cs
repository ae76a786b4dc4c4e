using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>One block of columns of a batch of weights, as a block kernel gets it.</summary>
/// <param name="Weights">[k, rows, columns], float32, contiguous: all columns;
/// the kernel changes those of the block.</param>
/// <param name="Start">First column of the block.</param>
/// <param name="Factors">The block's part of U, [k, width, width], upper triangular.</param>
/// <param name="Mask">Mask of the weights that go, bool [k, rows, width]; null where
/// <paramref name="Groups"/> decides on the way.</param>
/// <param name="Groups">N:M groups, chosen on the updated weights when the
/// kernel reaches each; null for a given mask.</param>
/// <param name="Grid">The grid of the kept weights, with a given mask only; null to keep them as they are.</param>
internal sealed record ColumnBlock(
    Tensor Weights, long Start, Tensor Factors, Tensor? Mask, NMTarget? Groups, BlockGrid? Grid = null)
{
    /// <summary>Columns of the block.</summary>
    public int Width => (int)Factors.shape[1];
}
