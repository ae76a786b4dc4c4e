using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Experts;
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

    [Theory]
    [InlineData(5, "has 6 tokens, but returned 5;")]
    [InlineData(0, "has 6 tokens, but returned 0;")]
    [InlineData(7, "has 6 tokens, but returned 7 or more;")]
    [InlineData(9, "has 6 tokens, but returned 8 or more;")]
    public void ComputeAndFit_SourceThatMiscounts_SaysSo(int returned, string message)
    {
        using var scope = NewDisposeScope();
        var source = new MiscountedTokens(6, ones(returned, 2));
        using var router = new SingleExpertRouter(2);
        var context = new RouterTrainingContext("blocks.0", CPU, 1);
        Action[] readers =
        [
            () => RouterAssignment.Compute(router, source, 4, CPU, Cancellation),
            () => new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 2, ChunkTokens = 4 }).Fit(source, context, Cancellation),
            () => ExpertStatistics.ObserveAll(() => new HessianStatistic(2, CPU), source, 4, CPU, Cancellation),
        ];

        foreach (Action read in readers)
        {
            Assert.Contains($"{nameof(MiscountedTokens)} {message}", Assert.Throws<CalibrationException>(read).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Compute_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var router = new SingleExpertRouter(2);
        using Tensor tokens = ones(6, 2);
        Assert.Equal([6L], RouterAssignment.Compute(router, new TokenMatrix(tokens), 4, CPU, Cancellation).TokensPerExpert);
    });

    private sealed class MiscountedTokens(long count, Tensor tokens) : ITokenSource
    {
        private readonly TokenMatrix _tokens = new(tokens);

        public long TokenCount => count;

        public int Features => _tokens.Features;

        public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device) => _tokens.ReadChunks(chunkTokens, device);

        public Tensor Gather(ReadOnlySpan<long> indices, Device device) => _tokens.Gather(indices, device);
    }

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
