using CsCheck;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Allocation;

public sealed class AllocationTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    /// <summary>One weight, and what summing up shares rounds.</summary>
    private const double Within = 1 + 1e-6;

    [Fact]
    public void Round_AnySharesOfTheBudget_MeetItToOneWeight() =>
        Gen.Select(Gen.Long[10, 5_000].Array[1, 12], Gen.OneOf(Gen.Double[0, 0.95], Gen.Double[0.95, 0.999_999_9]), Gen.Double[0.01, 0.5], Gen.Int[0, 1_000]).Sample((sizes, sparsity, reach, seed) =>
        {
            var random = new Random(seed);
            double[] outliers = [.. sizes.Select(_ => random.NextDouble())];
            double[] shares = WeightBudget.ByOutliers(outliers, sizes, sparsity, reach);
            long[] counts = WeightBudget.Round(shares, sizes, sparsity);

            Assert.Equal(Math.Min((long)Math.Floor(sizes.Sum() * sparsity), sizes.Sum(size => size - 1)), counts.Sum());
            Assert.All(shares, share => Assert.InRange(share, sparsity - reach - 1e-9, sparsity + reach + 1e-9));
            Assert.All(counts.Zip(sizes), pair => Assert.InRange(pair.First, 0, pair.Second - 1));
            double[] left = WeightBudget.LeaveOne(shares, sizes, sparsity);
            Assert.All(counts.Zip(sizes).Zip(left), entry => Assert.InRange(entry.First.First, (entry.Second * entry.First.Second) - Within, (entry.Second * entry.First.Second) + Within));
        }, iter: 300);

    [Fact]
    public void LeaveOne_AnyShares_CapsThemAndSpreadsTheRestEvenly() =>
        Gen.Select(Gen.Long[1, 5_000].Array[1, 12], Gen.OneOf(Gen.Double[0, 0.95], Gen.Double[0.95, 0.999_999_9]), Gen.Double[0.01, 0.5], Gen.Int[0, 1_000]).Sample((sizes, sparsity, reach, seed) =>
        {
            var random = new Random(seed);
            double[] shares = WeightBudget.ByOutliers(
                [.. sizes.Select(_ => random.NextDouble())], sizes, sparsity, reach);
            double[] left = WeightBudget.LeaveOne(shares, sizes, sparsity);

            Assert.All(left.Zip(sizes), linear => Assert.InRange(linear.First * linear.Second, -1e-6, linear.Second - 1 + 1e-6));
            Assert.Equal(Math.Min(sizes.Sum() * sparsity, sizes.Sum(size => size - 1)), left.Zip(sizes, (share, size) => share * size).Sum(), 1e-6);
            double[] rises = [.. Enumerable.Range(0, sizes.Length).Where(l => left[l] * sizes[l] < sizes[l] - 1 - 1e-6).Select(l => left[l] - shares[l])];
            Assert.All(rises, rise => Assert.InRange(rise, -1e-9, 1));
            Assert.All(rises, rise => Assert.Equal(rises[0], rise, 1e-9));
            if (shares.Zip(sizes).All(linear => linear.First * linear.Second <= linear.Second - 1))
            {
                Assert.Equal(shares, left);
            }
        }, iter: 300);

    [Fact]
    public void Round_ManyTinyLinearsBesideALargeOne_KeepsEachWithinOneOfItsShare()
    {
        long[] sizes = [.. Enumerable.Repeat(10L, 11), 5_000];
        double[] shares = [.. sizes.Select(_ => 0.99)];

        Assert.Equal([.. Enumerable.Repeat(9L, 11), 4_959], WeightBudget.Round(shares, sizes, 0.99));
        double[] left = WeightBudget.LeaveOne(shares, sizes, 0.99);
        Assert.All(left[..11], share => Assert.Equal(0.9, share, 1e-12));
        Assert.Equal(((0.99 * 5_110) - 99) / 5_000, left[11], 1e-12);
    }

    [Fact]
    public void ByOutliers_MoreOutliers_KeepMore()
    {
        double[] shares = WeightBudget.ByOutliers([0.01, 0.05, 0.02], [100, 300, 200], 0.6, 0.08);
        Assert.Equal(0.68, shares[0], 9);
        Assert.True(shares[0] > shares[2] && shares[2] > shares[1]);
        Assert.Equal(0.6 * 600, (shares[0] * 100) + (shares[1] * 300) + (shares[2] * 200), 6);
        Assert.Equal([0.6, 0.6], WeightBudget.ByOutliers([0.3, 0.3], [100, 300], 0.6, 0.08));
    }

    [Fact]
    public void ByErrors_SensitivitiesDiffer_IsNearTheBestOfAllDivisions()
    {
        double[] grid = WeightBudget.Grid(0.5, 0.2);
        long[] sizes = [1_000, 2_000, 500];
        Func<double, double>[] curves = [s => 0.001 * Math.Exp(5 * s), s => 0.02 * Math.Exp(3 * s), s => 0.0005 * Math.Exp(9 * s)];
        double[] found = WeightBudget.ByErrors(
            grid, [.. curves.Select(curve => grid.Select(curve).ToArray())], sizes, 0.5);

        double best = double.PositiveInfinity;
        for (double first = 0.3; first <= 0.7; first += 0.002)
        {
            for (double second = 0.3; second <= 0.7; second += 0.002)
            {
                double third = ((0.5 * 3_500) - (first * 1_000) - (second * 2_000)) / 500;
                if (third is >= 0.3 and <= 0.7)
                {
                    best = Math.Min(best, curves[0](first) + curves[1](second) + curves[2](third));
                }
            }
        }

        Assert.Equal(0.5 * 3_500, found.Zip(sizes, (share, size) => share * size).Sum(), 6);
        Assert.InRange(found.Zip(curves, (share, curve) => curve(share)).Sum(), 0, 1.003 * best);
    }

    [Theory]
    [InlineData(SparsityScope.Layer)]
    [InlineData(SparsityScope.Row)]
    [InlineData(SparsityScope.ColumnBlock)]
    public void Exactly_AnyScope_PrunesTheCount(SparsityScope sparsityScope) =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 300], Gen.Double[0, 0.999]).Sample((rows, columns, share) =>
        {
            using var scope = NewDisposeScope();
            long pruned = (long)(rows * columns * share);
            UnstructuredTarget target = SparsityTarget.Exactly(pruned, rows * columns, sparsityScope);
            Tensor mask = MaskSelection.Select(rand(rows, columns), target, SparsityScope.Layer);
            Assert.Equal(pruned, mask.count_nonzero().item<long>());
            Assert.Equal(pruned, UnstructuredTarget.PrunedCount(rows * columns, target.Sparsity));
        }, iter: 60, threads: 1);

    [Fact]
    public void Exactly_SparseGptByColumnBlocks_PrunesTheCount()
    {
        using var scope = NewDisposeScope();
        using var statistic = new HessianStatistic(300, CPU);
        statistic.Observe(randn(400, 300));
        using PruningResult result = new SparseGptSparsifier().Prune(
            randn(7, 300), statistic, SparsityTarget.Exactly(1_001, 2_100));
        Assert.Equal(2_100 - 1_001, result.Weight.count_nonzero().item<long>());
    }

    [Fact]
    public void Exactly_ImpossibleCounts_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SparsityTarget.Exactly(10, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => SparsityTarget.Exactly(-1, 10));
    }

    [Theory]
    [InlineData(AllocationMethod.Owl)]
    [InlineData(AllocationMethod.OutputError)]
    public void Run_Allocated_KeepsTheTotalAndDiffersByLayer(AllocationMethod method)
    {
        using ExpansionResult result = Run(
            method == AllocationMethod.Owl ? SparsityAllocation.Owl(2) : SparsityAllocation.OutputError(), _model);
        long total = result.Report.Layers.Sum(layer => layer.InFeatures * layer.OutFeatures);
        Assert.All(Enumerable.Range(0, 3), expert => Assert.Equal(
            (long)Math.Floor(total * 0.55), (long)Math.Round(result.Report.Layers.Sum(layer => layer.ExpertReports[expert].Sparsity * layer.InFeatures * layer.OutFeatures))));
        Assert.True(result.Report.Layers.Select(layer => layer.Sparsity).Distinct().Count() > 1);
        Assert.Contains("allocation", result.Report.Manifest.Settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_LayersOfDifferentSensitivity_ErrorAllocationLosesLessThanUniform()
    {
        using (no_grad())
        {
            // A weight of few large entries bears pruning well, one of equal magnitudes badly.
            Tensor gate = _model.get_parameter("blocks.0.gate.weight")!,
                up = _model.get_parameter("blocks.1.up.weight")!;
            gate.pow_(Scalars.Of(5)).mul_(Scalars.Of(100));
            up.sign_().mul_(Scalars.Of(0.1));
        }

        using ExpansionResult uniform = Run(SparsityAllocation.Uniform, _model);
        double before = uniform.Report.Layers.Sum(layer => layer.OutputError);
        uniform.Revert();
        using ExpansionResult allocated = Run(SparsityAllocation.OutputError(0.2), _model);
        double after = allocated.Report.Layers.Sum(layer => layer.OutputError);
        Assert.True(after < 0.9 * before, $"{after} against {before}");
    }

    [Fact]
    public void Run_StructuredTarget_IsRefused()
    {
        ExpansionBuilder<GatedModel> builder = Builder(_model).PruneWith(new WandaSparsifier(), SparsityTarget.NM(2, 4))
            .Allocate(SparsityAllocation.Owl());
        Assert.Contains(
            "2:4", Assert.Throws<InvalidOperationException>(() => builder.Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OutlierShare_AgainstCounting_IsTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor weight = tensor(new float[,] { { 1, 1 }, { 1, -20 } }),
            tokens = tensor(new float[,] { { 3, 1 }, { 4, 0 } });
        using var norms = new ColumnNormStatistic(2, CPU);
        norms.Observe(tokens); // Norms 5 and 1: scores 5, 1, 5, 20 of mean 7.75.
        Assert.Equal(0.25, AllocationSurvey.OutlierShare(weight, norms, 2));
        Assert.Equal(0, AllocationSurvey.OutlierShare(weight, norms, 3));
    }

    [Fact]
    public void Options_ImpossibleValues_AreNamed()
    {
        Assert.Throws<ArgumentOutOfRangeException>("threshold", () => SparsityAllocation.Owl(1));
        Assert.Throws<ArgumentOutOfRangeException>("maxDeviation", () => SparsityAllocation.Owl(5, 0));
        Assert.Throws<ArgumentOutOfRangeException>("maxDeviation", () => SparsityAllocation.OutputError(double.NaN));
    }

    private ExpansionResult Run(SparsityAllocation allocation, GatedModel model) =>
        Builder(model).Allocate(allocation).Run();

    private ExpansionBuilder<GatedModel> Builder(GatedModel model) => model.Expand()
        .Blocks(m => m.blocks)
        .Targets("*.gate", "*.up", "*.down")
        .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.55))
        .CalibrateOn(_batches);
}
