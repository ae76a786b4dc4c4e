using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

public sealed class UnseenFeaturesTests
{
    [Fact]
    public void FillUnseen_Hessian_TakesTheLayersEnergyForItsTokens()
    {
        using var scope = NewDisposeScope();
        using var expert = new HessianStatistic(3, CPU);
        using var layer = new HessianStatistic(3, CPU);
        expert.Observe(tensor(new float[,] { { 1, 0, 0 }, { 2, 0, 0 } }));
        layer.Observe(tensor(new float[,] { { 1, 0, 0 }, { 2, 0, 0 }, { 0, 4, 0 }, { 0, 0, 0 } }));

        expert.FillUnseen(layer);

        Assert.Equal([5f, 0, 0, 0, 16 * 2 / 4f, 0, 0, 0, 0], expert.Hessian.data<float>().ToArray());
        Assert.Equal(2, expert.TokenCount);
    }

    [Fact]
    public void RelativeOutputError_AfterFillUnseen_IsStillThatOfItsOwnTokens()
    {
        using var scope = NewDisposeScope();
        using var expert = new HessianStatistic(5, CPU);
        using var layer = new HessianStatistic(5, CPU);
        Tensor own = randn(40, 5) * tensor([1f, 1f, 0f, 1f, 0f]), dense = randn(3, 5), changed = dense * randn(3, 5).gt(Scalars.Of(0));
        expert.Observe(own);
        layer.Observe(cat([own, randn(60, 5)]));
        double before = expert.RelativeOutputError(dense, changed);

        expert.FillUnseen(layer);

        Assert.Equal(before, expert.RelativeOutputError(dense, changed), 1e-6 * before);
        Assert.Equal(before, ((ISharedOutputError)expert).RelativeOutputError(dense, dense.t().matmul(dense), changed), 1e-6 * before);
        double outputs = ((own.matmul((dense - changed).t())).Squared().sum() / own.matmul(dense.t()).Squared().sum()).item<float>();
        Assert.Equal(outputs, before, 1e-5);
    }

    [Fact]
    public void RelativeOutputError_AfterFillUnseenFromTwoLayers_CountsNeitherOfThem()
    {
        using var scope = NewDisposeScope();
        using var expert = new HessianStatistic(5, CPU);
        using var first = new HessianStatistic(5, CPU);
        using var second = new HessianStatistic(5, CPU);
        Tensor own = randn(40, 5) * tensor([1f, 1f, 0f, 1f, 0f]), dense = randn(3, 5), changed = dense * randn(3, 5).gt(Scalars.Of(0));
        expert.Observe(own);
        first.Observe(randn(60, 5) * tensor([1f, 1f, 10f, 1f, 0f]));
        second.Observe(randn(60, 5) * Scalars.Of(10));
        double before = expert.RelativeOutputError(dense, changed);

        expert.FillUnseen(first);
        expert.FillUnseen(second);
        expert.FillUnseen(second);

        Assert.Equal(before, expert.RelativeOutputError(dense, changed), 1e-6 * before);
    }

    [Fact]
    public void FillUnseen_ColumnNorms_TakesTheLayersEnergyForItsTokens()
    {
        using var scope = NewDisposeScope();
        using var expert = new ColumnNormStatistic(2, CPU);
        using var layer = new ColumnNormStatistic(2, CPU);
        expert.Observe(tensor(new float[,] { { 3, 0 } }));
        layer.Observe(tensor(new float[,] { { 3, 0 }, { 0, 2 } }));

        expert.FillUnseen(layer);

        Assert.Equal([9.0, 2.0], expert.SquaredNorms.data<double>().ToArray());
        using var other = new ColumnNormStatistic(3, CPU);
        Assert.Throws<ArgumentException>(() => expert.FillUnseen(other));
    }
}
