using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

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
