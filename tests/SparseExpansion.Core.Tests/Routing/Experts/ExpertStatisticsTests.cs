using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Experts;

public sealed class ExpertStatisticsTests
{
    private const int Features = 4;

    [Fact]
    public void Gather_Experts_HoldTheSumsOfTheirOwnTokens()
    {
        using var scope = NewDisposeScope();
        (Tensor tokens, LinearRouter router) = TwoExperts();
        using (router)
        using (ExpertStatistics statistics = Gather(tokens, router, chunkTokens: 7))
        {
            Tensor routed = router.Route(tokens);
            for (int e = 0; e < 2; e++)
            {
                Tensor own = tokens.index_select(0, routed.eq(Scalars.Of(e)).nonzero().flatten()).to(ScalarType.Float64);
                var hessian = (HessianStatistic)statistics.Experts[e];
                Assert.Equal(own.shape[0], hessian.TokenCount);
                Assert.True(hessian.Hessian.to(ScalarType.Float64).allclose(own.t().matmul(own), 1e-5, 1e-5));
            }
        }
    }

    [Fact]
    public void Gather_ExpertWithoutTokens_HoldsTheWholeGroup()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = randn(20, Features);
        using var router = new LinearRouter(zeros(2, Features), tensor(new[] { 1f, 0f }));
        using ExpertStatistics statistics = Gather(tokens, router);

        Assert.All(statistics.Experts, expert => Assert.Equal(20, expert.TokenCount));
        Assert.True(((HessianStatistic)statistics.Experts[1]).Hessian.allclose(tokens.t().matmul(tokens), 1e-5, 1e-5));
    }

    [Fact]
    public void Gather_UnseenFeature_BorrowsTheGroupsEnergyPerToken()
    {
        using var scope = NewDisposeScope();
        (Tensor tokens, LinearRouter router) = TwoExperts();
        tokens = tokens.clone();
        using (router)
        {
            Tensor second = router.Route(tokens).eq(Scalars.Of(1));
            tokens.select(1, 3).masked_fill_(second, Scalars.Of(0));
            using ExpertStatistics statistics = Gather(tokens, router);

            var expert = (HessianStatistic)statistics.Experts[1];
            double whole = tokens.select(1, 3).Squared().sum(ScalarType.Float64).item<double>();
            Assert.Equal(whole * expert.TokenCount / tokens.shape[0], expert.Hessian[3, 3].item<float>(), 3);
        }
    }

    [Fact]
    public void Gather_FailingStatistic_LeavesNothingBehind()
    {
        using Tensor tokens = randn(20, Features);
        using var router = new LinearRouter(zeros(2, Features), zeros(2));
        LeakCheck.NoTensorsLeft(() => Assert.Throws<ArgumentException>(() =>
            Gather(tokens, router, () => new HessianStatistic(Features + 1, CPU))));
        LeakCheck.NoTensorsLeft(() => Gather(tokens, router).Dispose());
    }

    /// <summary>
    /// Tokens either side of the origin along the first feature, and the router that tells them apart.
    /// </summary>
    private static (Tensor Tokens, LinearRouter Router) TwoExperts()
    {
        using var generator = new Generator(1);
        Tensor tokens = randn(30, Features, generator: generator);
        Tensor weight = zeros(2, Features);
        weight[0, 0] = 1;
        weight[1, 0] = -1;
        return (tokens, new LinearRouter(weight, zeros(2)));
    }

    private static ExpertStatistics Gather(Tensor tokens, IRouter router, Func<IActivationStatistic>? create = null, int chunkTokens = 1_000)
    {
        var source = new TokenMatrix(tokens);
        RouterAssignment assignment = RouterAssignment.Compute(router, source, chunkTokens, CPU);
        return ExpertStatistics.Gather(
            create ?? (() => new HessianStatistic(Features, CPU)), new ExpertTokens(source, assignment, chunkTokens, CPU), default);
    }
}
