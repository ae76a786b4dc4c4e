using CsCheck;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Allocation;

public sealed class ExpertAllocationTests
{
    private const int Features = 48, Rows = 40;

    [Fact]
    public void RoundExperts_AnySharesOfTheBudget_MeetItFromBelow() =>
        Gen.Select(Gen.Long[0, 5_000].Array[1, 12], Gen.Long[20, 4_000], Gen.Double[0, 0.95], Gen.Double[0.01, 0.5], Gen.Int[0, 1_000]).Sample((tokens, size, sparsity, reach, seed) =>
        {
            tokens[0]++;
            var random = new Random(seed);
            double[] shares = WeightBudget.ByOutliers(
                [.. tokens.Select(_ => random.NextDouble())], tokens, sparsity, Math.Min(reach, 0.98 * (1 - sparsity)));
            long[] kept = WeightBudget.RoundExperts(shares, tokens, size, sparsity);

            long uniform = size - (long)Math.Floor(size * sparsity);
            long left = (uniform * tokens.Sum()) - kept.Zip(tokens, (weights, count) => weights * count).Sum();
            Assert.InRange(left, 0, long.MaxValue);
            Assert.All(kept.Zip(tokens).Where(expert => expert.Second > 0 && expert.First < size), expert => Assert.True(expert.Second > left));
            Assert.All(kept.Zip(tokens), expert => Assert.InRange(expert.First, expert.Second > 0 ? 1 : uniform, expert.Second > 0 ? size : uniform));
        }, iter: 300);

    [Theory]
    [InlineData("alps")]
    [InlineData("sparsegpt")]
    [InlineData("refit")]
    public void PruneExperts_TargetsDiffer_EachExpertGetsItsOwn(string name) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = name switch { "alps" => new AlpsSparsifier(), "refit" => new WandaSparsifier().WithRefit(), _ => new SparseGptSparsifier() };
        Tensor weight = Weight();
        SparsityTarget[] targets = [SparsityTarget.Exactly(701, Rows * Features), SparsityTarget.NM(2, 4), SparsityTarget.Exactly(701, Rows * Features), SparsityTarget.Unstructured(0)];
        IActivationStatistic[] statistics = [.. Enumerable.Range(0, 4).Select(e => Observe(pruner, Tokens(e, 200, Features)))];
        IReadOnlyList<PruningResult> together = pruner.PruneExperts(weight, statistics, targets);
        for (int e = 0; e < targets.Length; e++)
        {
            using PruningResult one = together[e], alone = pruner.Prune(weight, statistics[e], targets[e]);
            Assert.Equal(
                new long[] { 701, Rows * Features / 2, 701, 0 }[e], one.Weight.eq(Scalars.Of(0)).sum().item<long>());
            Assert.Equal(alone.RelativeOutputError!.Value, one.RelativeOutputError!.Value, 0.01 * alone.RelativeOutputError.Value);
        }

        Assert.Throws<ArgumentException>(() => pruner.PruneExperts(weight, statistics, targets[..3]));
        Array.ForEach(statistics, statistic => statistic.Dispose());
    });

    /// <summary>Tokens of few directions bear pruning well, tokens of many do not.</summary>
    [Fact]
    public void Divide_ExpertsDiffer_LosesLessThanUniformAtNoMoreWeights()
    {
        using var scope = NewDisposeScope();
        Tensor weight = Weight(), marks = tensor(new float[] { 20, -20, 0 }).unsqueeze(1);
        Tensor[] parts = [Tokens(1, 900, 3), Tokens(2, 300, Features), Tokens(3, 400, 12)];
        using var router = new LinearRouter(
            cat([marks, zeros(3, Features - 1)], 1), -marks.squeeze(1).Squared() / Scalars.Of(2));
        for (int e = 0; e < parts.Length; e++)
        {
            parts[e].narrow(1, 0, 1).mul_(Scalars.Of(0)).PlusInPlace(marks[e]);
        }

        var pruner = new ExpertPruner(
            new AlpsSparsifier(), SparsityTarget.Unstructured(0.6), new LayerDescriptor("layer", Features, Rows, CPU), 1_000);
        ExpertTokens tokens = pruner.Divide(new TokenMatrix(cat(parts)), router, default);
        Assert.Equal([900, 300, 400], Enumerable.Range(0, 3).Select(tokens.Count));
        using ExpertStatistics statistics = pruner.Gather(tokens, 0, default);
        IReadOnlyList<SparsityTarget> targets = ExpertAllocation.Divide(
            pruner, weight, statistics, tokens, 0.3, default);
        IReadOnlyList<PruningResult> uniform = pruner.Prune(weight, statistics, default),
            divided = pruner.Sparsifier.PruneExperts(weight, statistics.Experts, targets);

        double before = OutputErrorMeter.Measure(weight, uniform, tokens, default).Total,
            after = OutputErrorMeter.Measure(weight, divided, tokens, default).Total;
        long allowed = uniform.Select((expert, e) => tokens.Count(e) * expert.Weight.count_nonzero().item<long>()).Sum();
        long spent = divided.Select((expert, e) => tokens.Count(e) * expert.Weight.count_nonzero().item<long>()).Sum();
        Assert.InRange(spent, allowed - 300, allowed);
        Assert.True(after < 0.8 * before, $"{after} against {before}");
        Assert.True(targets[1].Sparsity < targets[0].Sparsity);
        uniform.DisposeAll();
        divided.DisposeAll();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_PerExpert_KeepsTheBudgetOfATokenAndDiffersByExpert(bool alsoPerLinear)
    {
        using var model = new GatedModel();
        Tensor[] batches = GatedModel.Batches();
        SparsityAllocation allocation = alsoPerLinear
            ? SparsityAllocation.OutputError(perExpert: true)
            : SparsityAllocation.Experts();
        using ExpansionResult result = model.Expand()
            .Blocks(m => m.blocks)
            .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null })
            .PruneWith(new AlpsSparsifier(), SparsityTarget.Unstructured(0.55))
            .CalibrateOn(batches)
            .Allocate(allocation)
            .Run();

        double spent = 0, allowed = 0, rounding = 0;
        foreach (LayerReport layer in result.Report.Layers)
        {
            double size = layer.InFeatures * layer.OutFeatures;
            double layerSpent = layer.ExpertReports.Sum(
                expert => Math.Round((1 - expert.Sparsity) * size) * expert.Tokens);
            double layerAllowed = (size - Math.Floor(size * 0.55)) * layer.Tokens;
            if (!alsoPerLinear)
            {
                Assert.InRange(
                    layerSpent, layerAllowed - layer.ExpertReports.Max(expert => expert.Tokens), layerAllowed);
            }

            rounding += layer.Tokens;

            spent += layerSpent;
            allowed += layerAllowed;
        }

        Assert.InRange(spent, allowed - rounding, allowed);
        Assert.Contains(result.Report.Layers, layer => layer.ExpertReports.Select(expert => expert.Sparsity).Distinct().Count() > 1);
        Assert.Contains("experts", result.Report.Manifest.Settings, StringComparison.Ordinal);
        Array.ForEach(batches, batch => batch.Dispose());
    }

    [Fact]
    public void Experts_ImpossibleDeviation_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>("maxDeviation", () => SparsityAllocation.Experts(0));

    private static Tensor Weight()
    {
        using var generator = new Generator(5);
        return randn(Rows, Features, generator: generator);
    }

    /// <summary>Tokens that mostly lie in some directions.</summary>
    private static Tensor Tokens(int seed, int count, int directions)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        Tensor inside = randn(count, directions, generator: generator).matmul(
            randn(directions, Features, generator: generator));
        return (inside / Scalars.Of(Math.Sqrt(directions))).add_(randn(count, Features, generator: generator), alpha: Scalars.Of(0.05f)).MoveToOuterDisposeScope();
    }

    private static IActivationStatistic Observe(ISparsifier pruner, Tensor tokens)
    {
        IActivationStatistic statistic = pruner.CreateStatistic(new LayerDescriptor("layer", Features, Rows, CPU));
        statistic.Observe(tokens);
        return statistic;
    }
}
