using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// The grids of a batch of weights while they are made: those of rows beforehand, those of groups when a kernel reaches
/// their first column, from the weights as the errors of earlier columns have left them.
/// </summary>
/// <param name="Quantization">Bits and groups.</param>
/// <param name="Scales">[k, rows, groups], float32, contiguous.</param>
/// <param name="Zeros">[k, rows, groups], float32, contiguous.</param>
internal sealed record BlockGrid(WeightQuantization Quantization, Tensor Scales, Tensor Zeros)
{
    /// <summary>
    /// Grids for weights before they are rounded: with one grid a row that of
    /// the row, otherwise room for those to come.
    /// </summary>
    /// <param name="weights">[k, rows, columns], float32; pruned ones are 0.</param>
    /// <param name="quantization">Bits and groups.</param>
    public static BlockGrid Create(Tensor weights, WeightQuantization quantization)
    {
        using var scope = NewDisposeScope();
        long[] shape = [weights.shape[0], weights.shape[1], quantization.GroupCount(weights.shape[2])];
        Tensor scales = ones(shape, ScalarType.Float32, weights.device), zeros = zeros_like(scales);
        if (quantization.GroupSize is null)
        {
            (Tensor scale, Tensor zero) = GridFunctions.Fit(weights, quantization.MaximumCode);
            scales.copy_(scale);
            zeros.copy_(zero);
        }

        return new BlockGrid(quantization, scales.MoveToOuterDisposeScope(), zeros.MoveToOuterDisposeScope());
    }

    /// <summary>The grid of one weight; outlives the current dispose scope.</summary>
    public QuantizationGrid Of(int expert, int columns)
    {
        using var scope = NewDisposeScope();
        return QuantizationGrid.FromFloats(Quantization, columns, Scales.select(0, expert), Zeros.select(0, expert));
    }

    /// <summary>The group of a column.</summary>
    public long GroupOf(long column) => Quantization.GroupSize is { } size ? column / size : 0;
}
