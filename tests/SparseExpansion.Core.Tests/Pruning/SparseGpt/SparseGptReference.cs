using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>SparseGPT in float64, one column and one row at a time, by the book: Cholesky, inverse, Cholesky.</summary>
internal static class SparseGptReference
{
    public static double[,] Prune(double[,] dense, double[,] hessian, double damping, SparsityTarget target, int blockSize)
    {
        int rows = dense.GetLength(0), columns = dense.GetLength(1);
        var w = (double[,])dense.Clone();
        double[,] u = Factor(w, (double[,])hessian.Clone(), damping);
        var goes = new bool[rows, columns];
        for (int column = 0; column < columns; column++)
        {
            Choose(w, u, goes, column, target, blockSize);
            for (int row = 0; row < rows; row++)
            {
                if (!goes[row, column])
                {
                    continue;
                }

                double error = w[row, column] / u[column, column];
                for (int later = column; later < columns; later++)
                {
                    w[row, later] -= error * u[column, later];
                }

                w[row, column] = 0;
            }
        }

        return w;
    }

    private static void Choose(double[,] w, double[,] u, bool[,] goes, int column, SparsityTarget target, int blockSize)
    {
        int rows = w.GetLength(0), columns = w.GetLength(1);
        if (target is NMTarget nm)
        {
            for (int row = 0; column % nm.GroupSize == 0 && row < rows; row++)
            {
                ChooseFrom(w, u, goes, Cells(row, row + 1, column, column + nm.GroupSize), nm.GroupSize - nm.Keep);
            }

            return;
        }

        var unstructured = (UnstructuredTarget)target;
        if (unstructured.Scope is SparsityScope.Layer && column == 0)
        {
            ChooseFrom(w, u, goes, Cells(0, rows, 0, columns), (int)Math.Floor(rows * columns * target.Sparsity));
        }
        else if (unstructured.Scope is SparsityScope.Row && column == 0)
        {
            for (int row = 0; row < rows; row++)
            {
                ChooseFrom(w, u, goes, Cells(row, row + 1, 0, columns), (int)Math.Floor(columns * target.Sparsity));
            }
        }
        else if (unstructured.Scope is SparsityScope.ColumnBlock or SparsityScope.PrunerDefault && column % blockSize == 0)
        {
            int end = Math.Min(column + blockSize, columns);
            ChooseFrom(w, u, goes, Cells(0, rows, column, end), (int)Math.Floor(rows * (end - column) * target.Sparsity));
        }
    }

    private static IEnumerable<(int Row, int Column)> Cells(int rowStart, int rowEnd, int columnStart, int columnEnd) =>
        from row in Enumerable.Range(rowStart, rowEnd - rowStart)
        from column in Enumerable.Range(columnStart, columnEnd - columnStart)
        select (row, column);

    private static void ChooseFrom(double[,] w, double[,] u, bool[,] goes, IEnumerable<(int Row, int Column)> cells, int count)
    {
        foreach ((int row, int column) in cells.OrderBy(cell => Math.Pow(w[cell.Row, cell.Column] / u[cell.Column, cell.Column], 2)).Take(count))
        {
            goes[row, column] = true;
        }
    }

    /// <summary>
    /// U, upper triangular with UᵀU the inverse of the damped Hessian; zeroes the weights of dead columns.
    /// </summary>
    public static double[,] Factor(double[,] w, double[,] h, double damping)
    {
        int n = h.GetLength(0);
        double mean = 0;
        for (int i = 0; i < n; i++)
        {
            if (h[i, i] == 0)
            {
                h[i, i] = 1;
                for (int row = 0; row < w.GetLength(0); row++)
                {
                    w[row, i] = 0;
                }
            }

            mean += h[i, i] / n;
        }

        for (int i = 0; i < n; i++)
        {
            h[i, i] += damping * mean;
        }

        return Transpose(Cholesky(Inverse(h)));
    }

    private static double[,] Inverse(double[,] h)
    {
        MathNet.Numerics.LinearAlgebra.Matrix<double> matrix = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.DenseOfArray(h);
        return matrix.Inverse().ToArray();
    }

    private static double[,] Cholesky(double[,] h) =>
        MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.DenseOfArray(h).Cholesky().Factor.ToArray();

    private static double[,] Transpose(double[,] m)
    {
        int n = m.GetLength(0);
        var result = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                result[i, j] = m[j, i];
            }
        }

        return result;
    }
}
