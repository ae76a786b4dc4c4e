using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>Traces of quadratic forms of a symmetric matrix.</summary>
internal static class QuadraticForm
{
    private const int ColumnBlock = 128;

    /// <summary>
    /// tr(D H Dᵀ) = Σ_J ⟨2 D_{&lt;J} H_{&lt;J,J} + D_J H_{J,J}, D_J⟩ over column blocks J: symmetry halves the
    /// work, and no temporary is wider than a block.
    /// </summary>
    /// <param name="rows">D, [rows, d], float32.</param>
    /// <param name="symmetric">H, [d, d], float32, positive semi-definite.</param>
    /// <returns>The trace, at least 0 (rounding may leave it slightly below).</returns>
    public static double Trace(Tensor rows, Tensor symmetric)
    {
        using var scope = NewDisposeScope();
        long width = rows.shape[1];
        Tensor sum = zeros(1, ScalarType.Float64, rows.device);
        for (long start = 0; start < width; start += ColumnBlock)
        {
            using var blockScope = NewDisposeScope();
            long columns = Math.Min(ColumnBlock, width - start);
            Tensor block = rows.narrow(1, start, columns);
            Tensor product = block.matmul(symmetric.narrow(0, start, columns).narrow(1, start, columns));
            if (start > 0)
            {
                product.addmm_(
                    rows.narrow(1, 0, start), symmetric.narrow(0, 0, start).narrow(1, start, columns), alpha: 2);
            }

            // By columns first: a sum of everything at once would split, and round, by the number of threads.
            sum.PlusInPlace(product.mul_(block).sum([0L], type: ScalarType.Float64).sum());
        }

        return Math.Max(0, sum.item<double>());
    }

    /// <summary>⟨A, B⟩ = Σ a_ij b_ij of symmetric matrices, in float64.</summary>
    public static double Inner(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        Tensor sum = zeros(1, ScalarType.Float64, first.device);
        for (long start = 0; start < first.shape[0]; start += ColumnBlock)
        {
            using var blockScope = NewDisposeScope();
            long rows = Math.Min(ColumnBlock, first.shape[0] - start);
            Tensor product = first.narrow(0, start, rows).to(ScalarType.Float64).mul_(second.narrow(0, start, rows));
            sum.PlusInPlace(product.sum([0L]).sum());
        }

        return Math.Max(0, sum.item<double>());
    }
}
