using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>The pruners that only choose: magnitude and Wanda.</summary>
public sealed class ScorePrunerTests
{
    private static readonly MagnitudeSparsifier Magnitude = new();
    private static readonly WandaSparsifier Wanda = new();

    [Fact]
    public void Magnitude_Layer_PrunesTheSmallestOfAll() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor weight = tensor(new float[,] { { 1, -2, 3, 4 }, { -5, 6, 7, -8 } });
        using var statistic = new TokenCountStatistic(4);
        using PruningResult result = Magnitude.Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal([0, 0, 0, 0, -5, 6, 7, -8], result.Weight.data<float>().ToArray());
        using PruningResult rows = Magnitude.Prune(weight, statistic, SparsityTarget.Unstructured(0.5, SparsityScope.Row));
        Assert.Equal([0, 0, 3, 4, 0, 0, 7, -8], rows.Weight.data<float>().ToArray());
        Assert.Equal(1, weight[0, 0].item<float>());
        Assert.Equal(0.5, result.Sparsity);
        Assert.Null(result.RelativeOutputError);
        Assert.Null(result.Find<DampingRung>());
    });

    [Fact]
    public void Wanda_Rows_PrunesBySizeOfInput() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor weight = tensor(new float[,] { { 1, 2, 3, 4 }, { 4, 3, 2, 1 } }).to(ScalarType.BFloat16);
        using ColumnNormStatistic statistic = Wanda.CreateStatistic(new LayerDescriptor("layer", 4, 2, CPU));
        statistic.Observe(tensor(new float[,] { { 10, 0, 0, -1 }, { 0, -1, 1, 0 } }));
        using PruningResult result = Wanda.Prune(weight, statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal([1, 0, 0, 4, 4, 3, 0, 0], result.Weight.to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(ScalarType.BFloat16, result.Weight.dtype);
        Assert.Equal(2, result.TokenCount);
    });

    [Theory]
    [InlineData(SparsityScope.PrunerDefault)]
    [InlineData(SparsityScope.Layer)]
    [InlineData(SparsityScope.Row)]
    [InlineData(SparsityScope.ColumnBlock)]
    public void PruneExperts_EveryScope_EqualsOneByOne(SparsityScope sparsityScope)
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(7, 150);
        using ColumnNormStatistic first = Observe(150), second = Observe(150);
        SparsityTarget target = SparsityTarget.Unstructured(0.3, sparsityScope);
        IReadOnlyList<PruningResult> results = Wanda.PruneExperts(weight, [first, second], target);
        using PruningResult one = results[0], two = results[1];
        using PruningResult expectedOne = Wanda.Prune(weight, first, target), expectedTwo = Wanda.Prune(weight, second, target);
        Assert.True(one.Weight.eq(expectedOne.Weight).all().item<bool>());
        Assert.True(two.Weight.eq(expectedTwo.Weight).all().item<bool>());
    }

    [Fact]
    public void Prune_BadInput_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        using ColumnNormStatistic norms = Observe(8);
        using var empty = new ColumnNormStatistic(8, CPU);
        using var count = new TokenCountStatistic(8);
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        Assert.Throws<PruningException>(() => Magnitude.Prune(ones(2, 8), norms, half));
        Assert.Throws<PruningException>(() => Wanda.Prune(ones(2, 8), count, half));
        Assert.Throws<PruningException>(() => Magnitude.Prune(ones(2, 9), count, half));
        Assert.Throws<PruningException>(() => Wanda.Prune(ones(2, 9), norms, half));
        Assert.Throws<IncompatibleSparsityException>(() => Wanda.Prune(ones(2, 8), norms, SparsityTarget.NM(1, 3)));
        Assert.Throws<PruningException>(() => Magnitude.Prune(full(2, 8, Scalars.Of(float.NegativeInfinity)), count, half));
        Assert.Throws<CalibrationException>(() => Wanda.Prune(ones(2, 8), empty, half));
        norms.Observe(full(1, 8, Scalars.Of(float.NaN)));
        Assert.Throws<CalibrationException>(() => Wanda.Prune(ones(2, 8), norms, half));
    }

    [Fact]
    public void Prune_Cancelled_Throws()
    {
        using var scope = NewDisposeScope();
        using ColumnNormStatistic norms = Observe(8);
        Assert.Throws<OperationCanceledException>(() =>
            Wanda.PruneExperts(ones(2, 8), [norms], SparsityTarget.NM(1, 2), new CancellationToken(canceled: true)));
    }

    private static ColumnNormStatistic Observe(int features)
    {
        using var scope = NewDisposeScope();
        var statistic = new ColumnNormStatistic(features, CPU);
        statistic.Observe(randn(30, features));
        return statistic;
    }
}
