using SparseExpansion.Internal.Vectors;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

/// <summary>L⁻¹ of small A = LLᵀ, in batches: the leaves of <see cref="InverseFactor"/>.</summary>
internal static unsafe class FactorLeaf
{
    /// <summary>By plain loops in float64, one thread a matrix.</summary>
    /// <param name="matrices">A, [k, n, n].</param>
    /// <param name="floors">Pivots that are noise, [k, n], float64.</param>
    /// <param name="inverse">Receives L⁻¹, [k, n, n].</param>
    /// <returns>bool [k]: every pivot was above its floor. Where one was not, the inverse is meaningless.</returns>
    public static Tensor OnHost(Tensor matrices, Tensor floors, Tensor inverse)
    {
        using var scope = NewDisposeScope();
        long count = matrices.shape[0];
        int size = (int)matrices.shape[1];
        Tensor lower = matrices.to(ScalarType.Float64).clone().contiguous();
        Tensor result = zeros(matrices.shape, ScalarType.Float64);
        Tensor limits = floors.contiguous();
        Tensor succeeded = empty(count, ScalarType.Bool);
        double* lowerStart = RawMemory.Pointer<double>(lower);
        double* resultStart = RawMemory.Pointer<double>(result);
        double* limitStart = RawMemory.Pointer<double>(limits);
        byte* flags = RawMemory.Pointer<byte>(succeeded);
        RowParallel.For(count, (long)size * size * size / 3, (from, to) =>
        {
            for (long i = from; i < to; i++)
            {
                double* matrix = lowerStart + (i * size * size);
                bool positive = Factor(matrix, limitStart + (i * size), size);
                flags[i] = positive ? (byte)1 : (byte)0;
                if (positive)
                {
                    Invert(matrix, resultStart + (i * size * size), size);
                }
            }
        });
        inverse.copy_(result);
        return succeeded.MoveToOuterDisposeScope();
    }

    /// <summary>The same by library calls, on any device.</summary>
    public static Tensor OnDevice(Tensor matrices, Tensor floors, Tensor inverse)
    {
        using var scope = NewDisposeScope();
        (Tensor lower, Tensor info) = linalg.cholesky_ex(matrices, check_errors: false);
        Tensor identity = eye(matrices.shape[1], dtype: matrices.dtype, device: matrices.device).expand(matrices.shape);
        inverse.copy_(linalg.solve_triangular(lower, identity, upper: false));
        Tensor pivots = lower.diagonal(0, 1, 2).to(ScalarType.Float64).Squared();
        return info.eq(Scalars.Of(0)).logical_and(pivots.gt(floors).all(1)).MoveToOuterDisposeScope();
    }

    private static bool Factor(double* matrix, double* floors, int size)
    {
        for (int i = 0; i < size; i++)
        {
            double* row = matrix + ((long)i * size);
            for (int j = 0; j < i; j++)
            {
                double* other = matrix + ((long)j * size);
                row[j] = (row[j] - Dot(row, other, j)) / other[j];
            }

            double pivot = row[i] - Dot(row, row, i);
            if (!(pivot > floors[i]))
            {
                return false;
            }

            row[i] = Math.Sqrt(pivot);
        }

        return true;
    }

    /// <summary>Row i of L⁻¹ = (e_i − Σ_{j&lt;i} L_ij · row j of L⁻¹) / L_ii.</summary>
    private static void Invert(double* lower, double* inverse, int size)
    {
        for (int i = 0; i < size; i++)
        {
            double* row = inverse + ((long)i * size);
            double* factors = lower + ((long)i * size);
            for (int j = 0; j < i; j++)
            {
                double* other = inverse + ((long)j * size);
                for (int column = 0; column <= j; column++)
                {
                    row[column] -= factors[j] * other[column];
                }
            }

            row[i] = 1;
            for (int column = 0; column <= i; column++)
            {
                row[column] /= factors[i];
            }
        }
    }

    private static double Dot(double* left, double* right, int length)
    {
        double sum = 0;
        for (int i = 0; i < length; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }
}
