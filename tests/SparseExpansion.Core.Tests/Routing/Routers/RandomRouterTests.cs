using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

public sealed class RandomRouterTests
{
    [Theory]
    [InlineData(2, 0, 1)]
    [InlineData(16, 0, 2)]
    [InlineData(16, 30, 3)]
    [InlineData(7, 30, 4)]
    public void Route_ManyTokens_IsAboutUniform(int experts, double offset, long seed)
    {
        using var scope = NewDisposeScope();
        using var router = new RandomRouter(64, experts, seed);
        Tensor tokens = ClusteredTokens.Blobs(10, 1000, 64, 3, offset);
        var assignment = RouterAssignment.Compute(router, new TokenMatrix(tokens), 4096, CPU, TestContext.Current.CancellationToken);
        double expected = 10_000.0 / experts;
        double chiSquare = assignment.TokensPerExpert.Sum(count => (count - expected) * (count - expected) / expected);

        // Mean k − 1, standard deviation √(2(k − 1)): five of them above the mean.
        Assert.InRange(chiSquare, 0, experts - 1 + (5 * Math.Sqrt(2 * (experts - 1))));
    }

    [Fact]
    public void Route_TokenInAnyBatch_GoesToTheSameExpert()
    {
        using var scope = NewDisposeScope();
        using var router = new RandomRouter(300, 16, 1);
        Tensor tokens = randn(500, 300);
        long[] together = router.Route(tokens).data<long>().ToArray();
        long[] reversed = router.Route(tokens.flip(0)).data<long>().ToArray();
        Assert.Equal(together.Reverse(), reversed);
        for (int token = 0; token < 50; token++)
        {
            Assert.Equal(together[token], router.Route(tokens.narrow(0, token, 1)).item<long>());
        }
    }

    [Fact]
    public void Route_SameSeed_SameExperts_OtherSeedOthers()
    {
        using var scope = NewDisposeScope();
        using var first = new RandomRouter(20, 8, 5);
        using var again = new RandomRouter(20, 8, 5);
        using var other = new RandomRouter(20, 8, 6);
        Tensor tokens = randn(200, 20);
        long[] expected = first.Route(tokens).data<long>().ToArray();
        Assert.Equal(expected, again.Route(tokens).data<long>().ToArray());
        Assert.NotEqual(expected, other.Route(tokens).data<long>().ToArray());
    }

    [Fact]
    public void Route_ZeroAndHugeTokens_StayInRange()
    {
        using var scope = NewDisposeScope();
        using var router = new RandomRouter(4, 3, 1);
        Tensor tokens = cat([zeros(1, 4), full(1, 4, Scalars.Of(1e38f)), full(1, 4, Scalars.Of(-1e-38f))]);
        long[] experts = router.Route(tokens).data<long>().ToArray();
        Assert.Equal(0, experts[0]);
        Assert.All(experts, expert => Assert.InRange(expert, 0, 2));
        Assert.Equal([0], router.Route(empty(0, 4)).shape);
    }

    [Fact]
    public void BadArguments_Throw()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomRouter(0, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomRouter(3, 0, 1));
        Assert.Throws<ArgumentException>(() => new RandomRouter(zeros(2, 2), 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomRouter(zeros(2), 0));
        using var router = new RandomRouter(3, 2, 1);
        Assert.Throws<ArgumentException>(() => router.Route(zeros(2, 4)));
    }

    [Fact]
    public void CreateRouteDispose_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var router = new RandomRouter(3, 2, 1);
        using Tensor tokens = ones(4, 3);
        router.Route(tokens).Dispose();
    });
}
