using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

public sealed class PenaltyPathTests
{
    private const double Base = 0.3;

    /// <summary>|1 − (1 + cs)p(s)| on [0, 1] is what the inverse is off by, relative to itself.</summary>
    [Theory]
    [InlineData(1.0 / 3, 0.04)]
    [InlineData(0.5, 0.011)]
    [InlineData(0.999999, 1e-12)]
    [InlineData(1, 0)]
    [InlineData(1.000001, 1e-12)]
    [InlineData(2, 0.011)]
    [InlineData(3, 0.04)]
    public void Coefficients_RatioWithinReach_AreOffByLittle(double ratio, double bound)
    {
        (double constant, double linear, double square) = PenaltyPath.Coefficients(ratio);
        double worst = Enumerable.Range(0, 1001).Select(i => i / 1000.0).Max(s =>
            Math.Abs(1 - ((1 + ((ratio - 1) * s)) * (constant + (linear * s) + (square * s * s)))));
        Assert.InRange(worst, 0, bound);
    }

    [Theory]
    [InlineData(ScalarType.Float32, 0.04)]
    [InlineData(ScalarType.BFloat16, 0.07)]
    public void At_RisingPenalties_IsCloseToTheInverse(ScalarType precision, double bound) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor hessians = Hessians();
        using PenaltyPath path = Begin(hessians, precision);
        foreach (double penalty in new[] { 0.1, 0.2, 0.3, 0.5, 0.9, 1.5, 7.0 })
        {
            AssertClose(hessians, penalty, path.At(penalty), precision, bound);
        }
    });

    /// <summary>Powers of (H + bI)⁻¹ alone would leave the range of float32.</summary>
    [Theory]
    [InlineData(1e-6, ScalarType.Float32)]
    [InlineData(1e13, ScalarType.Float32)]
    [InlineData(1e20, ScalarType.BFloat16)]
    public void At_ExtremePenalty_StaysClose(double penalty, ScalarType precision) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor hessians = Hessians();
        using var path = new PenaltyPath(hessians, InverseFactor.Compute(hessians.Plus(eye(48) * Scalars.Of(penalty))).Factors, penalty, precision);
        AssertClose(hessians, penalty, path.At(penalty), precision, 0.06);
        AssertClose(hessians, 1.5 * penalty, path.At(1.5 * penalty), precision, 0.06);
    });

    [Fact]
    public void Keep_SomeExperts_GoesOnWithThose() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor hessians = Hessians();
        using PenaltyPath path = Begin(hessians, ScalarType.Float32);
        Tensor before = path.At(0.2);
        path.Keep(tensor(new long[] { 0, 2 }));
        Assert.True(TensorChecks.Equal(before.index_select(0, tensor(new long[] { 0, 2 })), path.At(0.2)));
        path.Keep(tensor(new long[] { 1 }));
        AssertClose(hessians.narrow(0, 2, 1), 0.2, path.At(0.2), ScalarType.Float32, 0.04);
        AssertClose(hessians.narrow(0, 2, 1), 2, path.At(2), ScalarType.Float32, 0.04);
    });

    [Fact]
    public void At_IndefiniteWhereTheBaseMoves_SaysSo()
    {
        using var scope = NewDisposeScope();
        Tensor hessians = Hessians();
        using PenaltyPath path = Begin(hessians, ScalarType.Float32);
        hessians.sub_(eye(48) * Scalars.Of(100));
        Assert.Contains("raise the damping", Assert.Throws<PruningException>(() => path.At(1)).Message);
    }

    /// <summary>Three Hessians of unit diagonal, from correlated tokens.</summary>
    private static Tensor Hessians()
    {
        Tensor hessians = stack(Enumerable.Range(1, 3).Select(seed =>
        {
            using HessianStatistic statistic = LeastSquaresReference.Observe(48, seed, 200);
            return statistic.Hessian.clone();
        }), 0);
        DampingLadder.Damp(hessians, 0.01);
        ScaledProblem.ToUnitDiagonal(hessians);
        return hessians;
    }

    private static PenaltyPath Begin(Tensor hessians, ScalarType precision) =>
        new(hessians, InverseFactor.Compute(hessians.Plus(eye(48) * Scalars.Of(Base))).Factors, Base, precision);

    /// <summary>The eigenvalues of (H + ρI)^½ G (H + ρI)^½ / ρ are 1 where G is exact.</summary>
    private static void AssertClose(Tensor hessians, double penalty, Tensor actual, ScalarType precision, double bound)
    {
        Assert.Equal(precision, actual.dtype);
        Tensor root = linalg.cholesky(hessians.Plus(eye(48) * Scalars.Of(penalty)).to(ScalarType.Float64));
        Tensor ratios = linalg.eigvalsh(root.mT.matmul(actual.to(ScalarType.Float64)).matmul(root) / Scalars.Of(penalty));
        Assert.InRange(ratios.min().item<double>(), 1 - bound, 1 + bound);
        Assert.InRange(ratios.max().item<double>(), 1 - bound, 1 + bound);
    }
}
