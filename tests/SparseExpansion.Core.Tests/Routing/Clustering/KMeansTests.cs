using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static SparseExpansion.Routing.ClusteredTokens;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

public sealed class KMeansTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1000)]
    [InlineData(17)]
    public void AssignAndMeans_AnyChunking_MatchSlowLloyd(int chunkTokens)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = Blobs(4, 50, 7, 2);
        var source = new TokenMatrix(tokens);
        double[,] slowTokens = ToMatrix(tokens);
        Tensor centroids = tokens.narrow(0, 3, 5).clone();
        double[,] slow = ToMatrix(centroids);
        double squares = tokens.to(ScalarType.Float64).Squared().sum().item<double>();
        for (int iteration = 0; iteration < 5; iteration++)
        {
            using ClusterPass pass = KMeans.Assign(source, centroids, chunkTokens, Cancellation);
            double expected = Inertia(slowTokens, slow);
            Assert.InRange(pass.Potential + squares, expected * 0.9999, expected * 1.0001);
            Assert.Equal(200, pass.Counts.Sum());
            centroids = KMeans.Means(pass, centroids);
            slow = LloydStep(slowTokens, slow);
            using Tensor reference = tensor(slow);
            Assert.InRange(MaxDifference(centroids, reference), 0, 1e-4);
        }
    }

    [Fact]
    public void Solve_GoldenProjection_IsWithinOnePercentOfTheBestOfHundredRuns()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("pca_kmeans");
        Tensor projected = (golden.Tensor("tokens").to(ScalarType.Float64) - golden.Tensor("mean"))
            .matmul(golden.Tensor("components").t()).to(ScalarType.Float32);
        double[,] slow = ToMatrix(projected);
        Assert.InRange(Inertia(slow, ToMatrix(golden.Tensor("centroids"))) / golden.Number("inertia"), 0.999, 1.001);
        for (long seed = 0; seed < 5; seed++)
        {
            Tensor centroids = Solve(projected, new PcaKMeansOptions { Experts = 12 }, seed);
            Assert.InRange(Inertia(slow, ToMatrix(centroids)) / golden.Number("inertia"), 0.99, 1.01);
        }
    }

    [Fact]
    public void Solve_SampleSmallerThanTokens_IsAlmostAsGood()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = Blobs(6, 500, 5, 3);
        double[,] slow = ToMatrix(tokens);
        double whole = Inertia(slow, ToMatrix(Solve(tokens, new PcaKMeansOptions { Experts = 6 })));
        double sampled = Inertia(slow, ToMatrix(Solve(tokens, new PcaKMeansOptions { Experts = 6, SampleTokens = 300 })));
        Assert.InRange(sampled / whole, 0.99, 1.01);
    }

    [Fact]
    public void Solve_SameSeed_GivesSameCentroids_OtherSeedOthers()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = Blobs(1, 600, 8, 0);
        var options = new PcaKMeansOptions { Experts = 7, Restarts = 2, SampleTokens = 200 };
        Assert.Equal(0, MaxDifference(Solve(tokens, options, 5), Solve(tokens, options, 5)));
        Assert.NotEqual(0, MaxDifference(Solve(tokens, options, 5), Solve(tokens, options, 6)));
    }

    [Fact]
    public void Solve_ChunkedStream_EqualsOneChunk()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = Blobs(5, 60, 6, 4);
        var options = new PcaKMeansOptions { Experts = 5, ChunkTokens = 1000 };
        Assert.InRange(MaxDifference(Solve(tokens, options), Solve(tokens, options with { ChunkTokens = 13 })), 0, 1e-4);
    }

    [Fact]
    public void Reseed_EmptyCluster_TakesTheFarthestToken()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = tensor(new float[,] { { 0, 0 }, { 1, 0 }, { 0, 9 }, { 1, 1 } });
        var source = new TokenMatrix(tokens);
        Tensor centroids = tensor(new float[,] { { 0, 0 }, { 100, 100 } });
        using ClusterPass pass = KMeans.Assign(source, centroids, 3, Cancellation);
        Assert.Equal([4, 0], pass.Counts);
        Tensor moved = KMeans.Means(pass, centroids);
        KMeans.Reseed(source, pass, centroids, moved, 3, Cancellation);
        Assert.Equal([0.5f, 2.5f, 0, 9], moved.data<float>().ToArray());
    }

    [Fact]
    public void Solve_FewerDistinctTokensThanClusters_DropsTheRest()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = tensor(new float[,] { { -4, 0 }, { 4, 0 }, { 0, 7 } }).repeat(20, 1);
        Tensor centroids = Solve(tokens, new PcaKMeansOptions { Experts = 8 });
        Assert.Equal(3, centroids.shape[0]);
        Assert.InRange(Inertia(ToMatrix(tokens), ToMatrix(centroids)), 0, 1e-6);
    }

    [Fact]
    public void Solve_AllTokensEqual_GivesOneCluster()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(1, Solve(zeros(30, 4), new PcaKMeansOptions { Experts = 4 }).shape[0]);
    }

    [Fact]
    public void Solve_ClusterBelowMinimum_IsMergedIntoTheNearest()
    {
        // Three tokens far out form a cluster of their own unless five are asked for.
        using var scope = NewDisposeScope();
        Tensor tokens = cat([Blobs(2, 100, 3, 10), full(3, 3, Scalars.Of(60f))]);
        var options = new PcaKMeansOptions { Experts = 3 };
        Assert.Equal(3, Solve(tokens, options).shape[0]);
        Tensor merged = Solve(tokens, options with { MinimumTokensPerExpert = 5 });
        Assert.Equal(2, merged.shape[0]);
        using ClusterPass pass = KMeans.Assign(new TokenMatrix(tokens), merged, 1000, Cancellation);
        Assert.Equal(203, pass.Counts.Sum());
        Assert.All(pass.Counts, count => Assert.True(count >= 5));
    }

    [Fact]
    public void Solve_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = Blobs(3, 30, 4, 5);
        Solve(tokens, new PcaKMeansOptions { Experts = 9, Restarts = 2, SampleTokens = 40, MinimumTokensPerExpert = 12 }).Dispose();
    });

    private static Tensor Solve(Tensor tokens, PcaKMeansOptions options, long seed = 1)
    {
        using var scope = NewDisposeScope();
        Tensor mean = tokens.mean([0]);
        Tensor around = new KMeansSolver(options, new CenteredTokens(new TokenMatrix(tokens), mean), new("group", CPU, seed), Cancellation).Solve();
        return around.Plus(mean).MoveToOuterDisposeScope();
    }
}
