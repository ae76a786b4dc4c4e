using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

public sealed class RouterTrainerTests
{
    private static readonly RouterTrainingContext s_context = new("block.0.mlp", CPU, 1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<int?>> Reductions => [new(null), new(1), new(2), new(1000)];

    public static IEnumerable<TheoryDataRow<IRouterTrainer>> Trainers =>
    [
        new(new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 3, PcaReduction = 2, Restarts = 2 })),
        new(new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 3, PcaReduction = null, Restarts = 2 })),
        new(new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 1 })),
        new(new RandomRouterTrainer(3)),
        new(new SingleExpertRouterTrainer()),
    ];

    [Fact]
    public void Fit_GoldenTokens_ClustersTheProjectionAsWellAsTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("pca_kmeans");
        Tensor tokens = golden.Tensor("tokens");
        var trainer = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 12, PcaReduction = 3 });
        using IRouter router = trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation);
        Assert.Equal(12, router.ExpertCount);
        Tensor projected = (tokens - golden.Tensor("mean")).matmul(golden.Tensor("components").t());
        Assert.InRange(Inertia(projected, router.Route(tokens), 12) / golden.Number("inertia"), 0.99, 1.01);
    }

    [Theory]
    [MemberData(nameof(Reductions))]
    public void Fit_SeparateBlobsFarFromTheOrigin_FindsThem(int? reduction)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = ClusteredTokens.Blobs(4, 100, 16, reduction == 1000 ? 1000 : 12, offset: 500);
        var trainer = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 4, PcaReduction = reduction, ChunkTokens = 37 });
        using IRouter router = trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation);
        long[] experts = router.Route(tokens).data<long>().ToArray();
        Assert.Equal(4, experts.Distinct().Count());
        Assert.All(experts.Chunk(100), blob => Assert.Single(blob.Distinct()));
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_SameSeed_GivesTheSameRouter(IRouterTrainer trainer)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = ClusteredTokens.Blobs(1, 200, 6, 0);
        using IRouter first = trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation);
        using IRouter again = trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation);
        Assert.Equal(6, first.InputFeatures);
        Tensor fresh = randn(500, 6);
        Assert.Equal(first.Route(fresh).data<long>().ToArray(), again.Route(fresh).data<long>().ToArray());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4)]
    public void Fit_MinimumTokens_HoldsForEveryExpert(int? reduction)
    {
        using var scope = NewDisposeScope();
        var source = new TokenMatrix(ClusteredTokens.Blobs(30, 7, 8, 5));
        var options = new PcaKMeansOptions { Experts = 20, PcaReduction = reduction, MinimumTokensPerExpert = 15 };
        using IRouter router = new PcaKMeansTrainer(options).Fit(source, s_context, Cancellation);
        Assert.InRange(router.ExpertCount, 2, 14);
        Assert.All(RouterAssignment.Compute(router, source, 64, CPU, Cancellation).TokensPerExpert, count => Assert.True(count >= 15));
    }

    [Fact]
    public void Fit_OneExpert_NeedsNoClustering()
    {
        using Tensor tokens = ones(3, 6);
        using IRouter router = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 1 }).Fit(new TokenMatrix(tokens), s_context, Cancellation);
        Assert.IsType<SingleExpertRouter>(router);
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_FewerTokensThanExperts_NamesGroupAndNumbers(IRouterTrainer trainer)
    {
        using var scope = NewDisposeScope();
        using IRouter enough = trainer.Fit(new TokenMatrix(randn(3, 6)), s_context, Cancellation);
        int tokens = trainer.Name is "single" || enough.ExpertCount == 1 ? 0 : 2;
        var error = Assert.Throws<TooManyExpertsException>(() => trainer.Fit(new TokenMatrix(zeros(tokens, 6)), s_context, Cancellation));
        Assert.Contains("block.0.mlp", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{enough.ExpertCount} experts", error.Message, StringComparison.Ordinal);
        Assert.Contains($"only {tokens} ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_NonFiniteToken_NamesGroup(IRouterTrainer trainer)
    {
        using var scope = NewDisposeScope();
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            Tensor tokens = randn(30, 6);
            tokens.narrow(0, 17, 1).fill_(Scalars.Of(bad));
            var error = Assert.Throws<CalibrationException>(() => trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation));
            Assert.Contains("block.0.mlp", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void Fit_TokensWhoseSquaresOverflow_NamesGroup(int? reduction)
    {
        using var scope = NewDisposeScope();
        var trainer = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 3, PcaReduction = reduction });
        var error = Assert.Throws<CalibrationException>(() => trainer.Fit(new TokenMatrix(randn(30, 6) * Scalars.Of(1e25f)), s_context, Cancellation));
        Assert.Contains("block.0.mlp", error.Message, StringComparison.Ordinal);
        Assert.Contains("overflow", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_Cancelled_Throws(IRouterTrainer trainer)
    {
        using Tensor tokens = ones(30, 6);
        Assert.Throws<OperationCanceledException>(() => trainer.Fit(new TokenMatrix(tokens), s_context, new CancellationToken(true)));
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_BadArguments_Throw(IRouterTrainer trainer)
    {
        using Tensor tokens = ones(30, 6);
        Assert.Throws<ArgumentNullException>(() => trainer.Fit(null!, s_context, Cancellation));
        Assert.Throws<ArgumentNullException>(() => trainer.Fit(new TokenMatrix(tokens), null!, Cancellation));
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void Fit_LeavesNoTensors(IRouterTrainer trainer) => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = ClusteredTokens.Blobs(3, 20, 6, 3);
        trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation).Dispose();
    });

    [Fact]
    public void Name_TellsWhetherTokensAreProjected()
    {
        Assert.Equal("pca-kmeans", new PcaKMeansTrainer().Name);
        Assert.Equal("kmeans", new PcaKMeansTrainer(new PcaKMeansOptions { PcaReduction = null }).Name);
        Assert.Equal("kmeans", new PcaKMeansTrainer(new PcaKMeansOptions { PcaReduction = 1 }).Name);
    }

    [Fact]
    public void Validate_OptionOutOfRange_NamesIt()
    {
        static void AssertNames(string property, PcaKMeansOptions options) =>
            Assert.Equal(property, Assert.Throws<ArgumentOutOfRangeException>(options.Validate).ParamName);

        new PcaKMeansOptions().Validate();
        AssertNames("Experts", new PcaKMeansOptions { Experts = 0 });
        AssertNames("PcaReduction", new PcaKMeansOptions { PcaReduction = 0 });
        AssertNames("Restarts", new PcaKMeansOptions { Restarts = 0 });
        AssertNames("MaxIterations", new PcaKMeansOptions { MaxIterations = 0 });
        AssertNames("Tolerance", new PcaKMeansOptions { Tolerance = -1 });
        AssertNames("Tolerance", new PcaKMeansOptions { Tolerance = double.NaN });
        AssertNames("Tolerance", new PcaKMeansOptions { Tolerance = double.PositiveInfinity });
        AssertNames("MinimumTokensPerExpert", new PcaKMeansOptions { MinimumTokensPerExpert = 0 });
        AssertNames("SampleTokens", new PcaKMeansOptions { SampleTokens = 0 });
        AssertNames("ChunkTokens", new PcaKMeansOptions { ChunkTokens = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PcaKMeansTrainer(new PcaKMeansOptions { Experts = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomRouterTrainer(0));
    }

    [Fact]
    public void Fit_OnCuda_MatchesTheQualityOnCpu()
    {
        Assert.SkipUnless(cuda.is_available(), "No CUDA device.");
        using var scope = NewDisposeScope();
        Tensor tokens = ClusteredTokens.Blobs(6, 200, 12, 6);
        var trainer = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 6, PcaReduction = null });
        using IRouter near = trainer.Fit(new TokenMatrix(tokens), s_context, Cancellation);
        using IRouter far = trainer.Fit(new TokenMatrix(tokens), s_context with { Device = CUDA }, Cancellation);
        double ratio = Inertia(tokens, far.Route(tokens.to(CUDA)).cpu(), 6) / Inertia(tokens, near.Route(tokens), 6);
        Assert.InRange(ratio, 0.99, 1.01);
    }

    /// <summary>Σ ‖x − mean of its group‖².</summary>
    private static double Inertia(Tensor tokens, Tensor groups, int count)
    {
        using var scope = NewDisposeScope();
        Tensor exact = tokens.to(ScalarType.Float64);
        double sum = 0;
        for (int group = 0; group < count; group++)
        {
            Tensor members = exact[groups == Scalars.Of(group)];
            sum += members.shape[0] == 0 ? 0 : (members - members.mean([0])).Squared().sum().item<double>();
        }

        return sum;
    }
}
