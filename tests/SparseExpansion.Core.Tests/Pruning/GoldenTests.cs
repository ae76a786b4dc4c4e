using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Pruners against numbers of the published implementations; see Fixtures/golden/README.md.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("sparsegpt_unstructured_50", "0.5")]
    [InlineData("sparsegpt_unstructured_70_dead_columns", "0.7")]
    [InlineData("sparsegpt_2_4", "2:4")]
    [InlineData("sparsegpt_4_8", "4:8")]
    public void SparseGpt_PublishedCase_AgreesInMaskAndError(string file, string target)
    {
        var golden = new GoldenFile(file);
        LeakCheck.NoTensorsLeft(() =>
        {
            using var scope = NewDisposeScope();
            using var statistic = new HessianStatistic(160, CPU);
            using PruningResult result = Prune(new SparseGptSparsifier(), statistic, golden, target);
            AssertMask(golden.Tensor("pruned"), result.Weight);
            Assert.Equal(golden.Number("zeros"), result.Weight.numel() - result.Weight.count_nonzero().item<long>());
            AssertWithin(0.005, golden.Number("relative_output_error"), result.RelativeOutputError!.Value);
            Assert.Equal(new DampingRung(0, 0.01, DampingMethod.SinglePrecision), result.Find<DampingRung>());
            Assert.Equal(1024, result.TokenCount);
            AssertWithin(0.005, golden.Number("relative_output_error"), ErrorByTokens(golden, result.Weight));
        });
    }

    [Theory]
    [InlineData("0.5", "50")]
    [InlineData("2:4", "2_4")]
    public void Wanda_PublishedCase_AgreesInMaskAndError(string target, string suffix)
    {
        var golden = new GoldenFile("wanda");
        LeakCheck.NoTensorsLeft(() =>
        {
            using var scope = NewDisposeScope();
            using var statistic = new ColumnNormStatistic(160, CPU);
            using PruningResult result = Prune(new WandaSparsifier(), statistic, golden, target);
            AssertMask(golden.Tensor("pruned_" + suffix), result.Weight);
            AssertWithin(0.005, golden.Number("relative_output_error_" + suffix), ErrorByTokens(golden, result.Weight));
            Assert.Null(result.RelativeOutputError);
        });
    }

    private static PruningResult Prune(ISparsifier sparsifier, IActivationStatistic statistic, GoldenFile golden, string target)
    {
        using Tensor tokens = golden.Tensor("tokens");
        foreach (Tensor part in tokens.split(300))
        {
            statistic.Observe(part);
        }

        return sparsifier.Prune(golden.Tensor("weight"), statistic, SparsityTarget.Parse(target));
    }

    private static double ErrorByTokens(GoldenFile golden, Tensor pruned)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = golden.Tensor("tokens").to(ScalarType.Float64);
        Tensor weight = golden.Tensor("weight").to(ScalarType.Float64);
        Tensor error = tokens.matmul((weight - pruned).t()).Squared().sum();
        return (error / tokens.matmul(weight.t()).Squared().sum()).item<double>();
    }

    private static void AssertMask(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        double agreement = expected.eq(Scalars.Of(0)).eq(actual.eq(Scalars.Of(0))).to(ScalarType.Float64).mean().item<double>();
        Assert.True(agreement >= 0.999, $"Masks agree in {agreement:P3} of the weights.");
    }

    private static void AssertWithin(double tolerance, double expected, double actual) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * expected, $"Expected {expected} within {tolerance:P1}, got {actual}.");
}
