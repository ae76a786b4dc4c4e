using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Quantization;

/// <summary>Rounds pruned weights on a given mask, with the statistic of the inputs.</summary>
internal static class MaskedQuantizer
{
    /// <summary>
    /// Rounds column by column and spreads the errors over later columns by the inverse Hessian; what reaches pruned
    /// weights is spread on from there. For weights that are optimal on their mask, ‖X(W − Q)ᵀ‖² = ‖X(W −
    /// P)ᵀ‖² + ‖X(P − Q)ᵀ‖², so P is all that matters.
    /// </summary>
    /// <param name="pruned">P, [rows, d]: pruned weights are 0 and stay 0.</param>
    /// <param name="hessian">H, [d, d], float32.</param>
    /// <param name="quantization">Bits and groups.</param>
    /// <param name="cancellationToken">Observed between blocks.</param>
    /// <returns>Q, [rows, d], float32, on the grid. Where the Hessian cannot be
    /// factored, the nearest values to P.</returns>
    public static (Tensor Weight, QuantizationGrid Grid) Quantize(
        Tensor pruned, Tensor hessian, WeightQuantization quantization, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var options = new SparseGptOptions();
        Tensor hessians = hessian.unsqueeze(0).clone(), diagonal = hessians.diagonal(0, 1, 2);
        diagonal.masked_fill_(diagonal.eq(Scalars.Of(0)), Scalars.Of(1));
        FactoredHessians factored = DampingLadder.Factor(hessians, options.DampingSchedule, cancellationToken);
        if (factored.Rungs[0].Method == DampingMethod.WandaFallback)
        {
            return ToNearest(pruned, quantization);
        }

        (Tensor weight, QuantizationGrid grid) = RowsAtOnce.Run(pruned, rows =>
        {
            (Tensor solved, BlockGrid grids) = SparseGptSolver.Quantize(
                rows.to(ScalarType.Float32).unsqueeze(0), factored.Factors, quantization, options.BlockSize,
                SparseGptSolver.KernelFor(rows), cancellationToken);
            return (solved.squeeze(0), grids.Of(0, (int)rows.shape[1]));
        });
        return (weight.MoveToOuterDisposeScope(), grid);
    }

    /// <summary>Rounds every weight to the nearest value; zeros stay 0.</summary>
    public static (Tensor Weight, QuantizationGrid Grid) ToNearest(Tensor pruned, WeightQuantization quantization)
    {
        using var scope = NewDisposeScope();
        (Tensor rounded, QuantizationGrid grid) = RowsAtOnce.Run(pruned, rows =>
        {
            Tensor weight = rows.to(ScalarType.Float32);
            QuantizationGrid grid = QuantizationGrid.Fit(weight, quantization);
            return (grid.Round(weight), grid);
        });
        return (rounded.MoveToOuterDisposeScope(), grid);
    }
}
