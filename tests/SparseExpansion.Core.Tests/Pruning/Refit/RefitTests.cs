using CsCheck;
using MathNet.Numerics.LinearAlgebra;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static SparseExpansion.Pruning.LeastSquaresReference;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

public sealed class RefitTests
{
    private static readonly LayerDescriptor Layer = new("layer", 48, 20, CPU);

    public static TheoryData<string> Pruners => ["magnitude", "wanda", "sparsegpt", "random"];

    [Theory]
    [MemberData(nameof(Pruners))]
    public void Prune_AnyPruner_GivesTheExactLeastSquaresOnItsMask(string name) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        ISparsifier inner = Create(name), refit = inner.WithRefit();
        using IActivationStatistic innerStatistic = inner.CreateStatistic(Layer), statistic = refit.CreateStatistic(Layer);
        using var hessian = new HessianStatistic(48, CPU);
        Tensor tokens = Tokens(48, 1, 300), weight = Random(2, 20, 48);
        innerStatistic.Observe(tokens);
        statistic.Observe(tokens);
        hessian.Observe(tokens);
        using PruningResult before = inner.Prune(weight, innerStatistic, SparsityTarget.Unstructured(0.5));
        using PruningResult after = refit.Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
        Assert.True(before.Weight.ne(Scalars.Of(0)).eq(after.Weight.ne(Scalars.Of(0))).all().item<bool>(), "The mask changed.");
        Matrix<double> expected = Solve(Values(weight), Values(before.Weight), Values(hessian.Hessian), 0.01);
        Assert.True((expected - Values(after.Weight)).FrobeniusNorm() < 1e-3 * expected.FrobeniusNorm());
        Assert.True(after.RelativeOutputError < hessian.RelativeOutputError(weight, before.Weight));
        Assert.Equal(new RefitReport(20, 0, 0), after.Find<RefitReport>());
        Assert.Equal(before.Find<DampingRung>(), after.Find<DampingRung>());
        Assert.Equal(300, after.TokenCount);
        Assert.Equal($"{name}+refit", refit.Name);
    });

    [Fact]
    public void Prune_RandomMasksAndTokens_NeverRaisesARowsErrorNorTouchesTheMask() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 40], Gen.Int[1, 60], Gen.Int[0, 1 << 20], Gen.Double[0, 0.99]).Sample(
            (rows, columns, tokens, seed, sparsity) =>
            {
                using var scope = NewDisposeScope();
                using HessianStatistic statistic = Observe(columns, seed, tokens);
                Tensor weight = Random(seed + 1, rows, columns).to(seed % 2 == 0 ? ScalarType.Float32 : ScalarType.BFloat16);
                Tensor pruned = weight.masked_fill(Random(seed + 2, rows, columns).gt(Scalars.Of(1 - (2 * sparsity))), Scalars.Of(0));
                var options = new RefitOptions { Damping = seed % 3 == 0 ? 0 : 0.01, ChunkBytes = 20_000 };
                (Tensor refitted, RefitReport report) = MaskedLeastSquares.Refit(weight, pruned, statistic.Hessian, options, CancellationToken.None);
                Assert.True(pruned.ne(Scalars.Of(0)).eq(refitted.ne(Scalars.Of(0))).all().item<bool>(), "The mask changed.");
                Matrix<double> hessian = Values(statistic.Hessian), dense = Values(weight);
                double[] before = RowErrors(dense, Values(pruned), hessian), after = RowErrors(dense, Values(refitted), hessian);
                double energy = RowErrors(dense, dense * 0, hessian).Max();
                Assert.All(before.Zip(after), pair => Assert.True(pair.Second <= pair.First + (1e-5 * energy), $"{pair}"));
                Assert.Equal(rows, report.Rows + report.KeptRows);
            },
            iter: 60);

    [Fact]
    public void Refit_SingularNormalEquations_KeepsTheRows()
    {
        using var scope = NewDisposeScope();
        Tensor hessian = zeros(6, 6), weight = Random(1, 3, 6), pruned = weight.masked_fill(weight.lt(Scalars.Of(0)), Scalars.Of(0));
        hessian[0, 0] = 1;
        (Tensor refitted, RefitReport report) = MaskedLeastSquares.Refit(
            weight, pruned, hessian, new RefitOptions { Damping = 0 }, CancellationToken.None);
        Assert.True(refitted.eq(pruned).all().item<bool>());
        Assert.Equal(new RefitReport(0, 0, 3), report);
    }

    [Fact]
    public void Refit_HessianThatFloat32CannotFactor_TakesFloat64()
    {
        using var scope = NewDisposeScope();
        Tensor hessian = Enumerable.Range(1, 500).Select(NearlySingular).First(
            candidate => linalg.cholesky_ex(candidate.narrow(0, 0, 2).narrow(1, 0, 2)).info.item<int>() != 0);
        Tensor weight = tensor(new float[,] { { 1, -2, 3 } }), pruned = tensor(new float[,] { { 1, -2, 0 } });
        (Tensor refitted, RefitReport report) = MaskedLeastSquares.Refit(
            weight, pruned, hessian, new RefitOptions { Damping = 0 }, CancellationToken.None);
        Assert.Equal(new RefitReport(1, 1, 0), report);
        Assert.True(refitted.isfinite().all().item<bool>());
    }

    [Fact]
    public void PruneExperts_ComposedStatistics_BorrowUnseenFeaturesAndEqualOneByOne() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = new WandaSparsifier().WithRefit();
        IActivationStatistic[] statistics = [pruner.CreateStatistic(Layer), pruner.CreateStatistic(Layer)];
        using IActivationStatistic whole = pruner.CreateStatistic(Layer);
        Tensor tokens = Tokens(48, 1, 100), narrow = Tokens(48, 2, 100);
        narrow.narrow(1, 5, 3).zero_();
        statistics[0].Observe(tokens);
        statistics[1].Observe(narrow);
        whole.Merge(statistics[0]);
        whole.Merge(statistics[1]);
        Assert.Equal(200, whole.TokenCount);
        var narrowed = Assert.IsType<RefitStatistic>(statistics[1]);
        narrowed.ShrinkTowards(whole, 10);
        narrowed.FillUnseen(whole);
        using Tensor borrowed = narrowed.Hessian.Diagonal();
        Assert.True(borrowed.gt(Scalars.Of(0)).all().item<bool>());
        Assert.True(borrowed.to(ScalarType.Float64).allclose(((ColumnNormStatistic)narrowed.Inner).SquaredNorms, 1e-3));
        Tensor weight = Random(3, 20, 48);
        IReadOnlyList<PruningResult> results = pruner.PruneExperts(weight, statistics, SparsityTarget.NM(2, 4));
        for (int i = 0; i < 2; i++)
        {
            using PruningResult together = results[i], alone = pruner.Prune(weight, statistics[i], SparsityTarget.NM(2, 4));
            Assert.True(together.Weight.allclose(alone.Weight));
            Assert.Equal(480, together.Weight.count_nonzero().item<long>());
            statistics[i].Dispose();
        }
    });

    [Fact]
    public void CreateStatistic_PrunerWithAHessian_SharesIt()
    {
        using IActivationStatistic shared = new SparseGptSparsifier().WithRefit().CreateStatistic(Layer);
        using IActivationStatistic twice = new WandaSparsifier().WithRefit().WithRefit().CreateStatistic(Layer);
        Assert.IsType<HessianStatistic>(shared);
        Assert.IsType<ColumnNormStatistic>(Assert.IsType<RefitStatistic>(twice).Inner);
        Assert.Throws<ArgumentException>(() => twice.Merge(shared));
    }

    [Fact]
    public void Prune_BadInput_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = new WandaSparsifier().WithRefit();
        using var norms = new ColumnNormStatistic(48, CPU);
        using IActivationStatistic empty = pruner.CreateStatistic(Layer), good = pruner.CreateStatistic(Layer);
        good.Observe(Tokens(48, 1, 60));
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        Assert.Throws<PruningException>(() => pruner.Prune(Random(1, 4, 48), norms, half));
        Assert.Throws<CalibrationException>(() => pruner.Prune(Random(1, 4, 48), empty, half));
        AssertTellsWidths(() => pruner.Prune(Random(1, 4, 47), good, half));
        AssertTellsWidths(() => pruner.PruneExperts(Random(1, 4, 47), [good], half));
        Assert.Throws<PruningException>(() => pruner.Prune(full(4, 48, Scalars.Of(float.NaN)), good, half));
        Assert.Throws<ArgumentNullException>(() => pruner.Prune(Random(1, 4, 48), null!, half));
        Assert.Throws<OperationCanceledException>(() => pruner.Prune(Random(1, 4, 48), good, half, new CancellationToken(canceled: true)));
        Assert.Equal("Damping", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.WithRefit(new RefitOptions { Damping = -1 })).ParamName);
        Assert.Equal("Damping", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.WithRefit(new RefitOptions { Damping = 1.001 })).ParamName);
        Assert.Equal("Damping", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.WithRefit(new RefitOptions { Damping = double.NaN })).ParamName);
        new RefitOptions { Damping = 0, ChunkBytes = 1 }.Validate();
        new RefitOptions { Damping = 1 }.Validate();
        Assert.Equal("ChunkBytes", Assert.Throws<ArgumentOutOfRangeException>(() => pruner.WithRefit(new RefitOptions { ChunkBytes = 0 })).ParamName);
    }

    [Fact]
    public void Options_Defaults_AreThoseDocumented() =>
        Assert.Equal(new RefitOptions { Damping = 0.01, ChunkBytes = 256 * 1024 * 1024 }, new RefitOptions());

    /// <summary>Before the inner pruner has done its work.</summary>
    private static void AssertTellsWidths(Action prune) => Assert.Contains(
        "Pruner 'wanda+refit' was given a statistic of 48 input features for a weight of 47 columns.",
        Assert.Throws<PruningException>(prune).Message, StringComparison.Ordinal);

    private static ISparsifier Create(string name) => name switch
    {
        "magnitude" => new MagnitudeSparsifier(),
        "wanda" => new WandaSparsifier(),
        "sparsegpt" => new SparseGptSparsifier(),
        _ => new RandomSparsifier(),
    };

    /// <summary>
    /// Two features of which one is all but a multiple of the other: positive definite by less than float32 can tell.
    /// </summary>
    private static Tensor NearlySingular(int energy)
    {
        float inverse = 1f / energy, second = (double)inverse * energy > 1 ? inverse : float.BitIncrement(inverse);
        return tensor(new float[,] { { energy, 1, 0.3f * energy }, { 1, second, 0.3f }, { 0.3f * energy, 0.3f, energy } });
    }

    private sealed class RandomSparsifier : Sparsifier<TokenCountStatistic>
    {
        public override string Name => "random";

        public override TokenCountStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures);

        protected override PrunedWeight PruneCore(
            Tensor weight, TokenCountStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            new(weight.masked_fill(LowestScores(Random(9, weight.shape[0], weight.shape[1]).abs(), target, SparsityScope.Row), Scalars.Of(0)));
    }
}
