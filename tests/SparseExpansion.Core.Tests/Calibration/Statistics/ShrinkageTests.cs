using CsCheck;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

public sealed class ShrinkageTests
{
    private const int Features = 5;

    [Fact]
    public void ShrinkTowards_Hessian_IsTheWeightedMeanScaledToTheExpertsTokens() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[41, 90], Gen.Double[0, 200]).Sample((own, all, prior) =>
        {
            using var scope = NewDisposeScope();
            Tensor tokens = randn(all, Features);
            using HessianStatistic expert = Hessian(tokens.narrow(0, 0, own));
            using HessianStatistic layer = Hessian(tokens);
            double share = prior / (prior + own);
            Tensor exact = tokens.to(ScalarType.Float64);
            Tensor ownExact = exact.narrow(0, 0, own);
            Tensor expected = (ownExact.t().matmul(ownExact) * Scalars.Of((1 - share) / own)).Plus(exact.t().matmul(exact) * Scalars.Of(share / all)) * Scalars.Of(own);

            expert.ShrinkTowards(layer, prior);

            Assert.Equal(own, expert.TokenCount);
            Assert.True(expert.Hessian.to(ScalarType.Float64).allclose(expected, 1e-4, 1e-4));
        }, iter: 30, threads: 1);

    [Fact]
    public void ShrinkTowards_ColumnNorms_AreTheHessiansDiagonal()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = randn(50, Features);
        using HessianStatistic hessian = Hessian(tokens.narrow(0, 0, 3)), hessians = Hessian(tokens);
        using ColumnNormStatistic norms = Norms(tokens.narrow(0, 0, 3)), all = Norms(tokens);

        hessian.ShrinkTowards(hessians, 7);
        norms.ShrinkTowards(all, 7);

        Assert.True(norms.SquaredNorms.to(ScalarType.Float32).allclose(hessian.Diagonal(), 1e-4, 1e-5));
    }

    [Fact]
    public void ShrinkTowards_NoStrengthOrNoTokens_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = randn(50, Features);
        using HessianStatistic some = Hessian(tokens.narrow(0, 0, 3)), layer = Hessian(tokens), none = Hessian(tokens.narrow(0, 0, 0));
        Tensor before = some.Hessian.clone();

        some.ShrinkTowards(layer, 0);
        none.ShrinkTowards(layer, 10);
        Assert.True(some.Hessian.allclose(before, 0, 0));
        some.ShrinkTowards(none, 10);
        Assert.True(some.Hessian.allclose(before, 0, 0));
        Assert.Equal(0, none.Hessian.count_nonzero().item<long>());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ShrinkTowards_ImpossibleStrength_IsRefused(double priorTokens)
    {
        using var statistic = new HessianStatistic(Features, CPU);
        Assert.Throws<ArgumentOutOfRangeException>(() => statistic.ShrinkTowards(statistic, priorTokens));
    }

    [Fact]
    public void ShrinkTowards_OtherKindOrSize_IsRefused()
    {
        using var hessian = new HessianStatistic(Features, CPU);
        using var wider = new HessianStatistic(Features + 1, CPU);
        using var norms = new ColumnNormStatistic(Features, CPU);
        Assert.Throws<ArgumentException>(() => hessian.ShrinkTowards(wider, 1));
        Assert.Throws<ArgumentException>(() => hessian.ShrinkTowards(norms, 1));
        Assert.Throws<ArgumentException>(() => norms.ShrinkTowards(hessian, 1));
    }

    private static HessianStatistic Hessian(Tensor tokens)
    {
        var statistic = new HessianStatistic(Features, CPU);
        statistic.Observe(tokens);
        return statistic;
    }

    private static ColumnNormStatistic Norms(Tensor tokens)
    {
        var statistic = new ColumnNormStatistic(Features, CPU);
        statistic.Observe(tokens);
        return statistic;
    }
}
