using CsCheck;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static SparseExpansion.Pruning.MixedTokens;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

public sealed class SparseGptSparsifierTests() : HessianPrunerTestBase(Pruner)
{
    private static readonly SparseGptSparsifier Pruner = new();

    public static TheoryData<string, SparsityScope, int> Cases => new()
    {
        { "0.5", SparsityScope.PrunerDefault, 128 },
        { "0.7", SparsityScope.ColumnBlock, 32 },
        { "0.3", SparsityScope.Layer, 128 },
        { "0.6", SparsityScope.Row, 48 },
        { "2:4", SparsityScope.PrunerDefault, 128 },
        { "4:8", SparsityScope.PrunerDefault, 16 },
        { "1:3", SparsityScope.PrunerDefault, 96 },
        { "10:24", SparsityScope.PrunerDefault, 48 },
        { "5:16", SparsityScope.PrunerDefault, 64 },
        { "7:17", SparsityScope.PrunerDefault, 34 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prune_RandomShapes_AgreesWithReference(string text, SparsityScope sparsityScope, int blockSize)
    {
        SparsityTarget target = Target(text, sparsityScope);
        int unit = target is NMTarget nm ? nm.GroupSize : 1;
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 200], Gen.Int[0, 1 << 20]).Sample(
            (rows, wish, seed) =>
            {
                int columns = Math.Max(1, wish / unit) * unit;
                using var scope = NewDisposeScope();
                using HessianStatistic statistic = Observe(columns, seed, 300);
                Tensor weight = Random(seed + 1, rows, columns);
                var pruner = new SparseGptSparsifier(new SparseGptOptions { BlockSize = blockSize });
                using PruningResult result = pruner.Prune(weight, statistic, target);
                double[,] expected = SparseGptReference.Prune(Values(weight), Values(statistic.Hessian), 0.01, target, blockSize);
                AssertClose(expected, Values(result.Weight), rows * columns);
            },
            iter: 12);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Solve_TensorKernel_AgreesWithPanelKernel(string text, SparsityScope sparsityScope, int blockSize)
    {
        using var scope = NewDisposeScope();
        SparsityTarget target = Target(text, sparsityScope);
        int columns = target is NMTarget nm ? nm.GroupSize * 9 : 150;
        using HessianStatistic first = Observe(columns, 3, 400), second = Observe(columns, 4, 400);
        Tensor hessians = stack([first.Hessian, second.Hessian], 0);
        Tensor factors = DampingLadder.Factor(hessians, new SparseGptOptions().DampingSchedule, CancellationToken.None).Factors;
        Tensor dead = zeros(2, columns, ScalarType.Bool), weight = Random(5, 37, columns);
        Tensor panels = SparseGptSolver.Solve(weight, dead, factors, target, blockSize, PanelBlockKernel.Prune, CancellationToken.None);
        Tensor tensors = SparseGptSolver.Solve(weight, dead, factors, target, blockSize, TensorBlockKernel.Prune, CancellationToken.None);
        Assert.True(panels.eq(Scalars.Of(0)).eq(tensors.eq(Scalars.Of(0))).all().item<bool>(), "Masks differ.");
        Assert.True(panels.allclose(tensors, 1e-4, 1e-5), "Weights differ.");
    }

    [Theory]
    [InlineData("0.5")]
    [InlineData("2:4")]
    public void Prune_OnCuda_AgreesWithCpu(string text)
    {
        Assert.SkipUnless(cuda.is_available(), "No CUDA device.");
        using var scope = NewDisposeScope();
        Tensor tokens = Random(1, 500, 192), weight = Random(2, 96, 192);
        using var host = new HessianStatistic(192, CPU);
        using var device = new HessianStatistic(192, CUDA);
        host.Observe(tokens);
        device.Observe(tokens.cuda());
        using PruningResult expected = Pruner.Prune(weight, host, SparsityTarget.Parse(text));
        using PruningResult actual = Pruner.Prune(weight.cuda(), device, SparsityTarget.Parse(text));
        Assert.Equal(DeviceType.CUDA, actual.Weight.device.type);
        double agreement = expected.Weight.eq(Scalars.Of(0)).eq(actual.Weight.cpu().eq(Scalars.Of(0))).to(ScalarType.Float64).mean().item<double>();
        Assert.True(agreement >= 0.999, $"Masks agree in {agreement:P3}.");
        Assert.Equal(expected.RelativeOutputError!.Value, actual.RelativeOutputError!.Value, 0.005 * expected.RelativeOutputError.Value);
    }

    [Theory]
    [InlineData(0.0, 7, 130)]
    [InlineData(0.5, 1, 129)]
    [InlineData(0.999, 3, 64)]
    public void Prune_AnySparsity_CountsExactly(double sparsity, int rows, int columns) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(columns, 7, 200);
        Tensor weight = Random(8, rows, columns);
        using PruningResult result = Pruner.Prune(weight, statistic, SparsityTarget.Unstructured(sparsity));
        long expected = result.Weight.split(128, 1).Sum(block => (long)Math.Floor(block.numel() * sparsity));
        Assert.Equal(expected, result.Weight.eq(Scalars.Of(0)).sum().item<long>());
        Assert.Equal((double)expected / (rows * columns), result.Sparsity);
        if (sparsity == 0)
        {
            Assert.True(result.Weight.eq(weight).all().item<bool>());
            Assert.Equal(0, result.RelativeOutputError);
            Assert.NotEqual(weight.Handle, result.Weight.Handle);
        }
    });

    [Theory]
    [InlineData("0.5")]
    [InlineData("2:4")]
    public void PruneExperts_Batched_EqualsOneByOne(string text) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        HessianStatistic[] statistics = [Observe(136, 1, 300), Observe(136, 2, 20), Observe(136, 3, 500)];
        Tensor weight = Random(4, 50, 136);
        IReadOnlyList<PruningResult> batch = Pruner.PruneExperts(weight, statistics, SparsityTarget.Parse(text));
        Assert.Equal(statistics.Length, batch.Count);
        for (int i = 0; i < batch.Count; i++)
        {
            using PruningResult expected = Pruner.Prune(weight, statistics[i], SparsityTarget.Parse(text));
            using PruningResult actual = batch[i];
            double scale = Math.Max(1, expected.RelativeOutputError!.Value);
            Assert.True(expected.Weight.eq(Scalars.Of(0)).eq(actual.Weight.eq(Scalars.Of(0))).to(ScalarType.Float64).mean().item<double>() >= 0.999);
            Assert.Equal(expected.RelativeOutputError!.Value, actual.RelativeOutputError!.Value, 1e-3 * scale);
            Assert.Equal(expected.TokenCount, actual.TokenCount);
            statistics[i].Dispose();
        }
    });

    [Fact]
    public void Prune_SingularHessian_ClimbsTheLadder()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 3);
        var pruner = new SparseGptSparsifier(new SparseGptOptions { Damping = 1e-12 });
        using PruningResult result = pruner.Prune(Random(2, 16, 64), statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal(DampingMethod.SinglePrecision, result.Find<DampingRung>()!.Method);
        Assert.InRange(result.Find<DampingRung>()!.Index, 1, 12);
        Assert.Equal(512, result.Weight.eq(Scalars.Of(0)).sum().item<long>());
    }

    [Fact]
    public void Prune_HopelessHessian_ReachesTheEndOfTheLadder()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(32, 2, 100);
        statistic.Hessian.neg_();
        using PruningResult result = Pruner.Prune(Random(2, 16, 32), statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal(new DampingRung(6, 1, DampingMethod.WandaFallback), result.Find<DampingRung>());
    }

    [Fact]
    public void Prune_GroupsThatBlocksWouldCut_Throws()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(24, 1, 50);
        Assert.Throws<PruningException>(() => Pruner.Prune(Random(2, 4, 24), statistic, SparsityTarget.NM(2, 3)));
    }

    private static SparsityTarget Target(string text, SparsityScope sparsityScope) =>
        SparsityTarget.Parse(text) is UnstructuredTarget unstructured ? SparsityTarget.Unstructured(unstructured.Sparsity, sparsityScope) : SparsityTarget.Parse(text);

    /// <summary>A near tie may fall the other way in float32, and changes its row; all others must agree.</summary>
    private static void AssertClose(double[,] expected, double[,] actual, int count)
    {
        int maskDifferences = 0, valueDifferences = 0;
        for (int row = 0; row < expected.GetLength(0); row++)
        {
            for (int column = 0; column < expected.GetLength(1); column++)
            {
                double e = expected[row, column], a = actual[row, column];
                maskDifferences += (e == 0) != (a == 0) ? 1 : 0;
                valueDifferences += Math.Abs(e - a) > 1e-3 ? 1 : 0;
            }
        }

        Assert.True(maskDifferences <= 2 + (count / 1000), $"{maskDifferences} of {count} mask entries differ.");
        Assert.True(maskDifferences > 0 || valueDifferences == 0, $"{valueDifferences} of {count} weights differ under equal masks.");
    }
}
