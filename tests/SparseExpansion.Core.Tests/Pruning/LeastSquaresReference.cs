using MathNet.Numerics.LinearAlgebra;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The least squares of rows on their supports in float64, one row after the other.</summary>
internal static class LeastSquaresReference
{
    /// <summary>
    /// min (ŵ − w)(H + damping · mean(diag H) · I)(ŵ − w)ᵀ on the support of <paramref name="pruned"/>.
    /// </summary>
    public static Matrix<double> Solve(Matrix<double> dense, Matrix<double> pruned, Matrix<double> hessian, double damping)
    {
        Matrix<double> damped = hessian + (Matrix<double>.Build.DenseIdentity(hessian.RowCount) * (damping * hessian.Diagonal().Average()));
        Matrix<double> solution = Matrix<double>.Build.Dense(dense.RowCount, dense.ColumnCount);
        for (int row = 0; row < dense.RowCount; row++)
        {
            int[] support = [.. Enumerable.Range(0, dense.ColumnCount).Where(column => pruned[row, column] != 0)];
            if (support.Length == 0)
            {
                continue;
            }

            Vector<double> gradient = damped * dense.Row(row);
            Matrix<double> system = Matrix<double>.Build.Dense(support.Length, support.Length, (i, j) => damped[support[i], support[j]]);
            Vector<double> weights = system.Solve(Vector<double>.Build.Dense(support.Length, i => gradient[support[i]]));
            for (int i = 0; i < support.Length; i++)
            {
                solution[row, support[i]] = weights[i];
            }
        }

        return solution;
    }

    /// <summary>tr((Ŵ − W)H(Ŵ − W)ᵀ) of every row.</summary>
    public static double[] RowErrors(Matrix<double> dense, Matrix<double> changed, Matrix<double> hessian)
    {
        Matrix<double> difference = dense - changed;
        return [.. (difference * hessian).PointwiseMultiply(difference).RowSums()];
    }

    public static Matrix<double> Values(Tensor matrix)
    {
        using Tensor wide = matrix.to(ScalarType.Float64), columnMajor = wide.t().contiguous();
        return Matrix<double>.Build.Dense((int)matrix.shape[0], (int)matrix.shape[1], columnMajor.data<double>().ToArray());
    }

    /// <summary>The Hessian of correlated tokens.</summary>
    public static HessianStatistic Observe(int columns, int seed, int tokens)
    {
        using var scope = NewDisposeScope();
        var statistic = new HessianStatistic(columns, CPU);
        statistic.Observe(Tokens(columns, seed, tokens));
        return statistic;
    }

    /// <summary>Correlated tokens: a common direction, and neighbors that resemble each other.</summary>
    public static Tensor Tokens(int columns, int seed, int tokens)
    {
        using var scope = NewDisposeScope();
        Tensor mixing = eye(columns).PlusInPlace(Random(seed + 10, columns, columns).div_(Scalars.Of(Math.Sqrt(columns))));
        return Random(seed, tokens, columns).matmul(mixing).PlusInPlace(Random(seed + 20, tokens, 1)).MoveToOuterDisposeScope();
    }

    public static Tensor Random(int seed, long rows, long columns)
    {
        using var generator = new Generator((ulong)seed);
        return randn(rows, columns, generator: generator);
    }
}
