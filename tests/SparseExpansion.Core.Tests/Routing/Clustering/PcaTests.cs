using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

public sealed class PcaTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly RouterTrainingContext s_context = new("block.0", CPU, 1);

    [Fact]
    public void Fit_GoldenTokens_MatchesReference()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("pca_kmeans");
        var source = new TokenMatrix(golden.Tensor("tokens"));
        Tensor mean = TokenMean.Compute(source, 512, s_context, Cancellation);
        using PrincipalComponents pca = Pca.Fit(source, mean, 8, 512, s_context, Cancellation);
        Assert.InRange(ClusteredTokens.MaxDifference(mean, golden.Tensor("mean")), 0, 1e-5);

        Tensor expected = golden.Tensor("components");
        Tensor signs = (pca.Components * expected).sum(1, keepdim: true).sign();
        Assert.InRange(ClusteredTokens.MaxDifference(pca.Components * signs, expected), 0, 1e-4);
        Tensor ratio = pca.Variances / Scalars.Of(pca.TotalVariance) / golden.Tensor("explained_variance_ratio");
        Assert.InRange(ClusteredTokens.MaxDifference(ratio, ones_like(ratio)), 0, 1e-4);
    }

    [Fact]
    public void Fit_ManyChunks_EqualsOneChunk()
    {
        using var scope = NewDisposeScope();
        // Five centers determine four directions; with fewer, the last
        // components are those of noise, which rounding turns.
        var source = new TokenMatrix(ClusteredTokens.Blobs(5, 70, 12, 3));
        Tensor mean = TokenMean.Compute(source, 1000, s_context, Cancellation);
        using PrincipalComponents whole = Pca.Fit(source, mean, 4, 1000, s_context, Cancellation);
        using PrincipalComponents chunked = Pca.Fit(source, mean, 4, 17, s_context, Cancellation);
        Assert.InRange(ClusteredTokens.MaxDifference(whole.Components, chunked.Components), 0, 1e-5);
        Assert.InRange(ClusteredTokens.MaxDifference(
            Pca.Project(source, mean, whole.Components, 1000, CPU, Cancellation), Pca.Project(source, mean, whole.Components, 13, CPU, Cancellation)), 0, 1e-5);
    }

    [Fact]
    public void Fit_LargeMean_KeepsThePrecisionOfTheVariance()
    {
        // E[xx] − μμ would lose all digits: the mean is 10⁴ standard deviations away.
        using var scope = NewDisposeScope();
        Tensor tokens = ClusteredTokens.Blobs(1, 4000, 6, 0, offset: 10_000);
        var source = new TokenMatrix(tokens);
        Tensor mean = TokenMean.Compute(source, 1000, s_context, Cancellation);
        using PrincipalComponents pca = Pca.Fit(source, mean, 6, 1000, s_context, Cancellation);
        double expected = tokens.to(ScalarType.Float64).var(0, unbiased: false).sum().item<double>();
        Assert.InRange(pca.TotalVariance / expected, 0.9999, 1.0001);
    }

    [Fact]
    public void Fit_Components_AreOrthonormalDescendingAndOfFixedSign()
    {
        using var scope = NewDisposeScope();
        var source = new TokenMatrix(ClusteredTokens.Blobs(5, 40, 9, 4));
        Tensor mean = TokenMean.Compute(source, 64, s_context, Cancellation);
        using PrincipalComponents pca = Pca.Fit(source, mean, 9, 64, s_context, Cancellation);
        Assert.InRange(ClusteredTokens.MaxDifference(pca.Components.matmul(pca.Components.t()), eye(9)), 0, 1e-10);
        double[] variances = pca.Variances.data<double>().ToArray();
        Assert.Equal(variances.OrderDescending(), variances);
        Tensor largest = pca.Components.gather(1, pca.Components.abs().argmax(1, keepdim: true));
        Assert.True((largest > Scalars.Of(0)).all().item<bool>());
    }

    [Fact]
    public void FitAndProject_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor tokens = ClusteredTokens.Blobs(2, 20, 5, 2);
        var source = new TokenMatrix(tokens);
        using Tensor mean = TokenMean.Compute(source, 7, s_context, Cancellation);
        using PrincipalComponents pca = Pca.Fit(source, mean, 2, 7, s_context, Cancellation);
        using Tensor projected = Pca.Project(source, mean, pca.Components, 7, CPU, Cancellation);
    });

    [Fact]
    public void Fit_Cancelled_Throws()
    {
        using var scope = NewDisposeScope();
        var source = new TokenMatrix(ones(4, 3));
        Assert.Throws<OperationCanceledException>(() => Pca.Fit(source, zeros(3, ScalarType.Float64), 1, 2, s_context, new CancellationToken(true)));
    }
}
