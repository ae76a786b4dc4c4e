using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static SparseExpansion.Pruning.LeastSquaresReference;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Tests of every pruner that works from Hessians.</summary>
public abstract class HessianPrunerTestBase(Sparsifier<HessianStatistic> pruner)
{
    private static readonly SparsityTarget s_half = SparsityTarget.Unstructured(0.5);

    [Fact]
    public void Prune_DeadColumns_ZeroesThemAndKeepsTheOthersFinite()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = Tokens(40, 1, 300);
        tokens.narrow(1, 10, 3).zero_();
        using var statistic = new HessianStatistic(40, CPU);
        statistic.Observe(tokens);
        using PruningResult result = pruner.Prune(Random(2, 12, 40), statistic, SparsityTarget.Unstructured(0.1));
        Assert.Equal(0, result.Weight.narrow(1, 10, 3).count_nonzero().item<long>());
        Assert.Equal(48, result.Weight.eq(Scalars.Of(0)).sum().item<long>());
        Assert.True(result.Weight.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float64)]
    public void Prune_OtherDtype_ComesBackInIt(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(64, 1, 200);
        Tensor weight = Random(2, 32, 64).to(dtype);
        using PruningResult result = pruner.Prune(weight, statistic, s_half);
        using PruningResult single = pruner.Prune(weight.to(ScalarType.Float32), statistic, s_half);
        Assert.Equal(dtype, result.Weight.dtype);
        Assert.True(result.Weight.eq(single.Weight.to(dtype)).all().item<bool>());
    }

    [Fact]
    public void Prune_OneOrTwoThreads_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(256, 1, 600);
        Tensor weight = Random(2, 333, 256);
        int threads = get_num_threads();
        try
        {
            set_num_threads(1);
            using PruningResult one = pruner.Prune(weight, statistic, s_half);
            set_num_threads(2);
            using PruningResult two = pruner.Prune(weight, statistic, s_half);
            Assert.True(one.Weight.eq(two.Weight).all().item<bool>());
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void PruneExperts_HopelessHessian_FallsBackToWandaAlone() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        using HessianStatistic good = Observe(32, 1, 100), bad = Observe(32, 2, 100);
        bad.Hessian.neg_();
        Tensor weight = Random(2, 16, 32);
        IReadOnlyList<PruningResult> results = pruner.PruneExperts(weight, [bad, good], s_half);
        using PruningResult fallen = results[0], standing = results[1], alone = pruner.Prune(weight, good, s_half);
        Assert.Equal(DampingMethod.WandaFallback, Assert.IsType<DampingRung>(Assert.Single(fallen.Diagnostics)).Method);
        Assert.Equal(new DampingRung(0, 0.01, DampingMethod.SinglePrecision), standing.Find<DampingRung>());
        Assert.Equal(256, fallen.Weight.eq(Scalars.Of(0)).sum().item<long>());
        Assert.True(fallen.Weight.eq(weight).logical_or(fallen.Weight.eq(Scalars.Of(0))).all().item<bool>());
        Assert.True(alone.Weight.allclose(standing.Weight, 1e-4, 1e-5));
    });

    [Fact]
    public void Prune_BadInput_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(24, 1, 50), spoiled = Observe(24, 1, 50);
        using var empty = new HessianStatistic(24, CPU);
        using var norms = new ColumnNormStatistic(24, CPU);
        spoiled.Observe(full(1, 24, Scalars.Of(float.NaN)));
        Tensor weight = Random(2, 4, 24), nan = weight.clone();
        nan[1, 1] = float.NaN;
        Assert.Throws<PruningException>(() => pruner.Prune(nan, statistic, s_half));
        Assert.Throws<PruningException>(() => pruner.Prune(weight, norms, s_half));
        Assert.Throws<PruningException>(() => pruner.PruneExperts(weight, [statistic, norms], s_half));
        Assert.Throws<PruningException>(() => pruner.Prune(Random(2, 4, 25), statistic, s_half));
        Assert.Throws<PruningException>(() => pruner.Prune(weight.narrow(0, 0, 1).squeeze(), statistic, s_half));
        Assert.Throws<IncompatibleSparsityException>(() => pruner.Prune(weight, statistic, SparsityTarget.NM(2, 5)));
        Assert.Throws<CalibrationException>(() => pruner.Prune(weight, empty, s_half));
        Assert.Throws<CalibrationException>(() => pruner.Prune(weight, spoiled, s_half));
        Assert.Throws<ArgumentNullException>(() => pruner.Prune(null!, statistic, s_half));
        Assert.Throws<ArgumentNullException>(() => pruner.Prune(weight, null!, s_half));
        Assert.Throws<ArgumentNullException>(() => pruner.Prune(weight, statistic, null!));
    }

    [Fact]
    public void Prune_Cancelled_Throws()
    {
        using var scope = NewDisposeScope();
        using HessianStatistic statistic = Observe(24, 1, 50);
        var canceled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => pruner.Prune(Random(2, 4, 24), statistic, SparsityTarget.NM(2, 4), canceled));
        Assert.Throws<OperationCanceledException>(() => pruner.PruneExperts(Random(2, 4, 24), [statistic], SparsityTarget.NM(2, 4), canceled));
    }
}
