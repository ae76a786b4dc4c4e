using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

public sealed class RouterAssignmentTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Compute_AnyChunking_GroupsTokensByExpert(int chunkTokens)
    {
        using var scope = NewDisposeScope();
        using var router = new RandomRouter(5, 4, 1);
        Tensor tokens = randn(90, 5);
        long[] expected = router.Route(tokens).data<long>().ToArray();
        var assignment = RouterAssignment.Compute(router, new TokenMatrix(tokens), chunkTokens, CPU, Cancellation);
        Assert.Equal(4, assignment.ExpertCount);
        Assert.Equal(expected, assignment.Experts.ToArray().Select(expert => (long)expert));
        for (int expert = 0; expert < 4; expert++)
        {
            long[] members = [.. Enumerable.Range(0, 90).Where(token => expected[token] == expert).Select(token => (long)token)];
            Assert.Equal(members, assignment.TokensOf(expert).ToArray());
            Assert.Equal(members.Length, assignment.TokensPerExpert[expert]);
        }
    }

    [Fact]
    public void Compute_ExpertWithoutTokens_HasCountZero()
    {
        using var scope = NewDisposeScope();
        using var router = new LinearRouter(zeros(3, 2), tensor([0f, 1f, 0f]));
        var assignment = RouterAssignment.Compute(router, new TokenMatrix(ones(6, 2)), 4, CPU, Cancellation);
        Assert.Equal([0L, 6L, 0L], assignment.TokensPerExpert);
        Assert.True(assignment.TokensOf(2).IsEmpty);
        Assert.Throws<ArgumentOutOfRangeException>(() => assignment.TokensOf(3).Length);
    }

    [Fact]
    public void Compute_OtherWidth_NamesBoth()
    {
        using var scope = NewDisposeScope();
        using var router = new SingleExpertRouter(5);
        var error = Assert.Throws<ArgumentException>(() => RouterAssignment.Compute(router, new TokenMatrix(ones(6, 2)), 4, CPU, Cancellation));
        Assert.Contains("width 5, got 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compute_RouterThatBreaksItsContract_Throws()
    {
        using var scope = NewDisposeScope();
        var source = new TokenMatrix(ones(6, 2));
        Assert.Throws<SparseExpansionException>(() => RouterAssignment.Compute(new BadRouter(tokens => full(tokens, Scalars.Of(2L))), source, 4, CPU, Cancellation));
        Assert.Throws<SparseExpansionException>(() => RouterAssignment.Compute(new BadRouter(tokens => full(tokens, Scalars.Of(-1L))), source, 4, CPU, Cancellation));
        Assert.Throws<SparseExpansionException>(() => RouterAssignment.Compute(new BadRouter(_ => zeros(1, ScalarType.Int64)), source, 4, CPU, Cancellation));
    }

    [Fact]
    public void Compute_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var router = new SingleExpertRouter(2);
        using Tensor tokens = ones(6, 2);
        Assert.Equal([6L], RouterAssignment.Compute(router, new TokenMatrix(tokens), 4, CPU, Cancellation).TokensPerExpert);
    });

    private sealed class BadRouter(Func<long, Tensor> route) : IRouter
    {
        public int ExpertCount => 2;

        public int InputFeatures => 2;

        public Tensor Route(Tensor tokens) => route(tokens.shape[0]);

        public void Dispose()
        {
        }
    }
}
