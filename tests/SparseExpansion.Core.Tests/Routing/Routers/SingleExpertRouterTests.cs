using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

public sealed class SingleExpertRouterTests
{
    [Fact]
    public void Route_AnyTokens_GivesZeros()
    {
        using var scope = NewDisposeScope();
        using var router = new SingleExpertRouter(3);
        Tensor routed = router.Route(randn(5, 3));
        Assert.Equal(ScalarType.Int64, routed.dtype);
        Assert.Equal([0, 0, 0, 0, 0], routed.data<long>().ToArray());
        Assert.Equal(1, router.ExpertCount);
    }

    [Fact]
    public void BadArguments_Throw()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>(() => new SingleExpertRouter(0));
        using var router = new SingleExpertRouter(3);
        Assert.Contains("[tokens, 3]", Assert.Throws<ArgumentException>(() => router.Route(ones(2, 4))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Route_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var router = new SingleExpertRouter(3);
        using Tensor tokens = ones(2, 3);
        router.Route(tokens).Dispose();
    });
}
