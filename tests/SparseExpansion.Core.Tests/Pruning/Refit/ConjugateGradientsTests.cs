using MathNet.Numerics.LinearAlgebra;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static SparseExpansion.Pruning.LeastSquaresReference;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

public sealed class ConjugateGradientsTests
{
    /// <summary>Few tokens for many features: the Hessian's eigenvalues lie four orders of magnitude apart.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, 96, 400)]
    [InlineData(ScalarType.Float32, 75, 30)]
    [InlineData(ScalarType.BFloat16, 96, 400)]
    [InlineData(ScalarType.BFloat16, 75, 30)]
    public void Solve_EitherPrecision_ReachesTheLeastSquares(ScalarType precision, int columns, int tokens) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        (Tensor hessians, Tensor dense, Tensor start, Tensor pruned) = Problem(columns, tokens);
        Matrix<double> exact = Solve(Values(dense[0]), Values(pruned[0].logical_not()), Values(hessians[0]), 0);
        double before = RowErrors(Values(dense[0]), Values(start[0]), Values(hessians[0])).Sum();
        double best = RowErrors(Values(dense[0]), exact, Values(hessians[0])).Sum();
        (int[] iterations, double[] residuals) = ConjugateGradients.Solve(hessians, dense, start, pruned, precision, 1e-6, 200, TestContext.Current.CancellationToken);
        double reached = RowErrors(Values(dense[0]), Values(start[0]), Values(hessians[0])).Sum();
        Assert.InRange(reached, best * (1 - 1e-6), best * (1 + 1e-3));
        Assert.True(before > 1.02 * best, $"Nothing to do: {before} against {best}.");
        Assert.True(start.masked_select(pruned).eq(Scalars.Of(0)).all().item<bool>());
        Assert.InRange(iterations[0], 3, 199);
        Assert.InRange(residuals[0], 0, 0.02);
    });

    /// <summary>
    /// The second of three Hessians is so ill-conditioned that products in bfloat16 lead astray: float32 begins anew
    /// with that expert alone.
    /// </summary>
    [Fact]
    public void Solve_OneExpertMisledByBFloat16_BeginsAnewInFloat32() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        (Tensor Hessians, Tensor Dense, Tensor Start, Tensor Pruned)[] problems = [Problem(75, 400), Problem(75, 30, damping: 1e-5), Problem(75, 300)];
        Tensor hessians = cat([.. problems.Select(problem => problem.Hessians)]), dense = cat([.. problems.Select(problem => problem.Dense)]);
        Tensor pruned = cat([.. problems.Select(problem => problem.Pruned)]), together = cat([.. problems.Select(problem => problem.Start)]);

        (int[] iterations, double[] residuals) = ConjugateGradients.Solve(hessians, dense, together, pruned, ScalarType.BFloat16, 1e-5, 40, TestContext.Current.CancellationToken);

        Assert.InRange(iterations[1], 41, 80); // More than one of the two precisions may take.
        for (int e = 0; e < problems.Length; e++)
        {
            (int[] alone, double[] left) = ConjugateGradients.Solve(
                problems[e].Hessians, problems[e].Dense, problems[e].Start, problems[e].Pruned, ScalarType.BFloat16, 1e-5, 40, TestContext.Current.CancellationToken);
            Assert.Equal((alone[0], left[0]), (iterations[e], residuals[e]));
            Assert.True(TensorChecks.Equal(problems[e].Start[0], together[e]), $"Expert {e} depends on the others.");
        }

        Tensor exact = Problem(75, 30, damping: 1e-5).Start;
        ConjugateGradients.Solve(
            hessians.narrow(0, 1, 1), dense.narrow(0, 1, 1), exact, pruned.narrow(0, 1, 1), ScalarType.Float32, 1e-5, 40, TestContext.Current.CancellationToken);
        double best = Error(dense[1], exact[0], hessians[1]);
        Assert.InRange(Error(dense[1], together[1], hessians[1]), best * (1 - 1e-3), best * (1 + 1e-3));
    });

    /// <summary>
    /// Both are the gradient on the support; energies and squares are those of the reference, in float64.
    /// </summary>
    [Theory]
    [InlineData(64)]
    [InlineData(37)]
    [InlineData(5)]
    public void Begin_AnyWidth_IsTheGradientOnTheSupport(int columns) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        random.manual_seed(columns);
        Tensor pruned = rand(3, 6, columns).gt(Scalars.Of(0.5)), difference = randn(3, 6, columns), gradient = randn(3, 6, columns);
        Tensor expected = gradient.masked_fill(pruned, Scalars.Of(0)), direction = difference.clone(), residual = gradient.clone();
        Check(ConjugateStep.Begin(direction, residual, pruned));
        direction.copy_(difference);
        residual.copy_(gradient);
        Check(ConjugateStep.BeginOnDevice(direction, residual, pruned));

        void Check((Tensor Errors, Tensor Gradients, Tensor Squares) sums)
        {
            Assert.True(TensorChecks.Equal(expected, direction), "The direction differs.");
            Assert.True(TensorChecks.Equal(expected, residual), "The residual differs.");
            Assert.True(sums.Errors.allclose(Dots(difference, gradient), 1e-4, 1e-4));
            Assert.True(sums.Gradients.allclose(Dots(gradient, gradient), 1e-5, 1e-5));
            Assert.True(sums.Squares.allclose(Dots(expected, expected), 1e-5, 1e-5));
        }
    });

    /// <summary>
    /// Float32 that may not go on for long ends further away than a good start from which bfloat16 went astray by
    /// little; rows whose start is not finite are solved all the same.
    /// </summary>
    [Fact]
    public void Solve_MisledFromAGoodStart_KeepsTheBetterOfBothForEachRow() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        (Tensor hessians, Tensor dense, Tensor start, Tensor pruned) = Problem(75, 30, damping: 1e-5);
        ConjugateGradients.Solve(hessians, dense, start, pruned, ScalarType.Float32, 1e-7, 400, TestContext.Current.CancellationToken);
        double best = Error(dense[0], start[0], hessians[0]), plain = Error(dense[0], dense[0].masked_fill(pruned[0], Scalars.Of(0)), hessians[0]);
        start[0, 3] = start[0, 3] * Scalars.Of(float.NaN);

        (int[] iterations, _) = ConjugateGradients.Solve(hessians, dense, start, pruned, ScalarType.BFloat16, 1e-7, 1, TestContext.Current.CancellationToken);

        Assert.Equal(2, iterations[0]); // One in each precision.
        Assert.True(start.isfinite().all().item<bool>());
        Assert.True(start.masked_select(pruned).eq(Scalars.Of(0)).all().item<bool>());
        Assert.InRange(Error(dense[0], start[0], hessians[0]), best, 0.2 * plain);
    });

    /// <summary>
    /// Rows on the host against rows in tensors, from one product; ‖r‖² = 0 and closed experts included.
    /// </summary>
    [Theory]
    [InlineData(64)]
    [InlineData(37)]
    [InlineData(5)]
    public void Take_OnHost_AgreesWithTensors(int columns) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        random.manual_seed(columns);
        Tensor pruned = rand(3, 6, columns).gt(Scalars.Of(0.5)), open = tensor(new[] { true, false, true });
        Tensor residual = randn(3, 6, columns).masked_fill_(pruned, Scalars.Of(0)), direction = (residual * Scalars.Of(1.5)).Plus(randn(3, 6, columns).masked_fill_(pruned, Scalars.Of(0)));
        residual[2, 4].zero_();
        direction[2, 4].zero_();
        Tensor product = direction.Plus(Scalars.Of(0.2) * randn(3, 6, columns)).to(ScalarType.BFloat16);
        Tensor[] host = [direction.clone(), randn(3, 6, columns).masked_fill_(pruned, Scalars.Of(0)), residual.clone(), ConjugateStep.Dots(residual, residual)];
        Tensor[] tensors = [.. host.Select(part => part.clone())];
        Tensor gainOnHost = ConjugateStep.Take(host[0], product, pruned, open, host[1], host[2], host[3]);
        Tensor gain = ConjugateStep.Take(tensors[0], product.to(ScalarType.Float32), pruned, open, tensors[1], tensors[2], tensors[3]);
        Assert.True(gainOnHost.allclose(gain, 1e-4, 1e-5));
        Assert.Equal(0, gain[1].count_nonzero().item<long>());
        Tensor going = tensor(new long[] { 0, 2 });
        Assert.All(Enumerable.Range(0, 4), part =>
            Assert.True(host[part].index_select(0, going).allclose(tensors[part].index_select(0, going), 1e-4, 1e-4), $"Part {part} differs."));
        Assert.True(TensorChecks.Equal(host[1][1], tensors[1][1]), "A closed expert moved.");
    });

    private static double Error(Tensor dense, Tensor solution, Tensor hessian) => RowErrors(Values(dense), Values(solution), Values(hessian)).Sum();

    private static Tensor Dots(Tensor left, Tensor right) =>
        (left.to(ScalarType.Float64) * right.to(ScalarType.Float64)).sum([2L], keepdim: true).to(ScalarType.Float32);

    private static (Tensor Hessians, Tensor Dense, Tensor Start, Tensor Pruned) Problem(int columns, int tokens, double damping = 0.01)
    {
        using HessianStatistic statistic = Observe(columns, 1, tokens);
        Tensor hessians = statistic.Hessian.unsqueeze(0).clone();
        DampingLadder.Damp(hessians, damping);
        ScaledProblem.ToUnitDiagonal(hessians);
        Tensor dense = Random(2, 40, columns).unsqueeze(0), pruned = MaskSelection.Select(dense, SparsityTarget.Unstructured(0.5), SparsityScope.Layer);
        return (hessians, dense, dense.masked_fill(pruned, Scalars.Of(0)), pruned);
    }
}
