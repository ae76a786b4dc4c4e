using MathNet.Numerics.LinearAlgebra;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static SparseExpansion.Pruning.LeastSquaresReference;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

public sealed class AlpsSparsifierTests() : HessianPrunerTestBase(Pruner)
{
    private static readonly AlpsSparsifier Pruner = new();

    [Theory]
    [InlineData("0.5")]
    [InlineData("0.8")]
    [InlineData("2:4")]
    public void Prune_FinalWeights_AreTheExactLeastSquaresOnTheirMask(string text)
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(96, 1, 400);
        Tensor weight = Random(2, 40, 96);
        using PruningResult result = Pruner.Prune(weight, statistic, SparsityTarget.Parse(text));
        Matrix<double> dense = Values(weight), actual = Values(result.Weight), hessian = Values(statistic.Hessian);
        Matrix<double> expected = Solve(dense, actual, hessian, 0.01);
        Matrix<double> damped = hessian + (Matrix<double>.Build.DenseIdentity(96) * (0.01 * hessian.Diagonal().Average()));
        double best = RowErrors(dense, expected, damped).Sum(), reached = RowErrors(dense, actual, damped).Sum();
        Assert.InRange(reached, best * (1 - 1e-9), best * (1 + 1e-4));
        Assert.True((expected - actual).FrobeniusNorm() < 0.01 * expected.FrobeniusNorm());
        Assert.True(result.Find<Convergence>()!.Settled);
        Assert.InRange(result.Find<Convergence>()!.Iterations, 2, 200);
        Assert.InRange(result.Find<Convergence>()!.Residual, 0, 0.01);
    }

    [Theory]
    [InlineData("0.5", 1)]
    [InlineData("0.7", 2)]
    [InlineData("2:4", 3)]
    public void Prune_CorrelatedInputs_LosesLessThanSparseGptAndItsRefit(string text, int seed)
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(128, seed, 600);
        Tensor weight = Random(seed + 50, 64, 128);
        SparsityTarget target = SparsityTarget.Parse(text);
        using PruningResult alps = Pruner.Prune(weight, statistic, target);
        using PruningResult sparseGpt = new SparseGptSparsifier().Prune(weight, statistic, target);
        using PruningResult refitted = new SparseGptSparsifier().WithRefit().Prune(weight, statistic, target);
        Assert.True(alps.RelativeOutputError < refitted.RelativeOutputError, $"{alps.RelativeOutputError} against {refitted.RelativeOutputError}.");
        Assert.True(refitted.RelativeOutputError < sparseGpt.RelativeOutputError);
    }

    /// <summary>All supports of one row can be tried when there are few.</summary>
    [Fact]
    public void Prune_SmallRow_IsCloseToTheBestOfAllSupports()
    {
        using var scope = NewDisposeScope();
        double ratio = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            using HessianStatistic statistic = Observe(8, seed, 60);
            Tensor weight = Random(seed + 100, 1, 8);
            using PruningResult result = Pruner.Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
            Matrix<double> dense = Values(weight), hessian = Values(statistic.Hessian);
            double best = Enumerable.Range(0, 256).Where(bits => int.PopCount(bits) == 4).Min(bits =>
            {
                Matrix<double> mask = Matrix<double>.Build.Dense(1, 8, (_, column) => (bits >> column) & 1);
                return RowErrors(dense, Solve(dense, mask, hessian, 0), hessian)[0];
            });
            double reached = RowErrors(dense, Values(result.Weight), hessian)[0];
            Assert.True(reached >= best * 0.999);
            ratio += reached / best / 20;
        }

        Assert.InRange(ratio, 0.999, 1.5);
    }

    [Theory]
    [InlineData(0.0, 7, 130, SparsityScope.PrunerDefault)]
    [InlineData(0.5, 1, 129, SparsityScope.PrunerDefault)]
    [InlineData(0.333, 7, 130, SparsityScope.Row)]
    [InlineData(0.7, 9, 200, SparsityScope.ColumnBlock)]
    [InlineData(0.999, 3, 64, SparsityScope.Layer)]
    public void Prune_AnySparsity_CountsExactly(double sparsity, int rows, int columns, SparsityScope sparsityScope) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(columns, 7, 400);
        Tensor weight = Random(8, rows, columns);
        using PruningResult result = Pruner.Prune(weight, statistic, SparsityTarget.Unstructured(sparsity, sparsityScope));
        Tensor zeros = result.Weight.eq(Scalars.Of(0));
        long expected = sparsityScope switch
        {
            SparsityScope.Row => rows * (long)Math.Floor(columns * sparsity),
            SparsityScope.ColumnBlock => zeros.split(128, 1).Sum(block => (long)Math.Floor(block.numel() * sparsity)),
            _ => (long)Math.Floor(rows * columns * sparsity),
        };
        Assert.Equal(expected, zeros.sum().item<long>());
        if (sparsityScope == SparsityScope.Row)
        {
            Assert.True(zeros.sum([1L]).eq(Scalars.Of(expected / rows)).all().item<bool>());
        }
    });

    [Fact]
    public void Prune_ExactTarget_PrunesExactlyThatMany()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 200);
        using PruningResult result = Pruner.Prune(Random(2, 24, 64), statistic, SparsityTarget.Exactly(701, 24 * 64));
        Assert.Equal(701, result.Weight.eq(Scalars.Of(0)).sum().item<long>());
    }

    [Fact]
    public void Prune_TwoOfFour_KeepsTwoOfEveryFour()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 200);
        using PruningResult result = Pruner.Prune(Random(2, 24, 64), statistic, SparsityTarget.NM(2, 4));
        Assert.True(result.Weight.ne(Scalars.Of(0)).reshape(-1, 4).sum([1L]).eq(Scalars.Of(2)).all().item<bool>());
        Assert.Throws<IncompatibleSparsityException>(() => Pruner.Prune(Random(2, 4, 64), statistic, SparsityTarget.NM(2, 5)));
    }

    [Theory]
    [InlineData("0.6", true)]
    [InlineData("0.6", false)]
    [InlineData("2:4", true)]
    [InlineData("2:4", false)]
    public void PruneExperts_Batch_EqualsOneByOne(string text, bool reducedPrecision) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        SparsityTarget target = SparsityTarget.Parse(text);
        HessianStatistic[] statistics = [Observe(64, 1, 300), Observe(64, 2, 70), Observe(64, 3, 20)];
        Tensor weight = Random(4, 32, 64);
        var pruner = new AlpsSparsifier(new AlpsOptions { ReducedPrecision = reducedPrecision });
        IReadOnlyList<PruningResult> batch = pruner.PruneExperts(weight, statistics, target);
        for (int i = 0; i < statistics.Length; i++)
        {
            using PruningResult together = batch[i], alone = pruner.Prune(weight, statistics[i], target);
            Assert.True(TensorChecks.Equal(alone.Weight, together.Weight), $"Expert {i} depends on the others.");
            Assert.Equal(alone.RelativeOutputError!.Value, together.RelativeOutputError!.Value, 1e-6 * alone.RelativeOutputError.Value);
            Assert.Equal(alone.Find<Convergence>(), together.Find<Convergence>());
            Assert.Equal(alone.Find<DampingRung>(), together.Find<DampingRung>());
            statistics[i].Dispose();
        }
    });

    [Fact]
    public void Prune_OneToken_StaysFinite()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 1);
        using PruningResult result = Pruner.Prune(Random(2, 16, 64), statistic, SparsityTarget.Unstructured(0.5));
        Assert.True(result.Weight.isfinite().all().item<bool>());
        Assert.Equal(512, result.Weight.eq(Scalars.Of(0)).sum().item<long>());
        Assert.InRange(result.RelativeOutputError!.Value, 0, 0.05);
    }

    [Fact]
    public void Prune_IterationLimit_IsReported()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 300);
        var pruner = new AlpsSparsifier(new AlpsOptions { MaxIterations = 2, MaxRefitIterations = 0 });
        using PruningResult result = pruner.Prune(Random(2, 48, 64), statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal(2, result.Find<Convergence>()!.Iterations);
        Assert.False(result.Find<Convergence>()!.Settled);
        Assert.Equal(0, result.Find<Convergence>()!.RefitIterations);
        Assert.True(result.Find<Convergence>()!.Residual > 0.001);
    }

    [Fact]
    public void Prune_ReducedPrecision_HardlyChangesTheError()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(256, 1, 900);
        Tensor weight = Random(2, 200, 256);
        using PruningResult reduced = Pruner.Prune(weight, statistic, SparsityTarget.Unstructured(0.6));
        using PruningResult full = new AlpsSparsifier(new AlpsOptions { ReducedPrecision = false }).Prune(weight, statistic, SparsityTarget.Unstructured(0.6));
        Assert.Equal(full.RelativeOutputError!.Value, reduced.RelativeOutputError!.Value, 0.005 * full.RelativeOutputError.Value);
    }

    [Fact]
    public void Prune_SettledShare_EndsTheSearchSooner()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(128, 1, 500);
        Tensor weight = Random(2, 100, 128);
        using PruningResult exact = new AlpsSparsifier(new AlpsOptions { SettledShare = 0 }).Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
        using PruningResult loose = new AlpsSparsifier(new AlpsOptions { SettledShare = 0.05 }).Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
        Assert.True(loose.Find<Convergence>()!.Settled && exact.Find<Convergence>()!.Settled);
        Assert.True(loose.Find<Convergence>()!.Iterations < exact.Find<Convergence>()!.Iterations);
        Assert.Equal(exact.RelativeOutputError!.Value, loose.RelativeOutputError!.Value, 0.2 * exact.RelativeOutputError.Value);
    }

    [Fact]
    public void Prune_OnCuda_AgreesWithCpu()
    {
        Assert.SkipUnless(cuda.is_available(), "No CUDA device.");
        using var scope = NewDisposeScope();
        Tensor tokens = Tokens(192, 1, 500), weight = Random(2, 96, 192);
        using var host = new HessianStatistic(192, CPU);
        using var device = new HessianStatistic(192, CUDA);
        host.Observe(tokens);
        device.Observe(tokens.cuda());
        using PruningResult expected = Pruner.Prune(weight, host, SparsityTarget.Unstructured(0.5));
        using PruningResult actual = Pruner.Prune(weight.cuda(), device, SparsityTarget.Unstructured(0.5));
        Assert.Equal(DeviceType.CUDA, actual.Weight.device.type);
        Assert.Equal(expected.RelativeOutputError!.Value, actual.RelativeOutputError!.Value, 0.01 * expected.RelativeOutputError.Value);
    }
}
