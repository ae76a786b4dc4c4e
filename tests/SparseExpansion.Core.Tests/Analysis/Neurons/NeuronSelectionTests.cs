namespace SparseExpansion.Analysis.Neurons;

public sealed class NeuronSelectionTests
{
    [Theory]
    [InlineData(0.03, 100, 3)]
    [InlineData(0.03, 384, 12)]
    [InlineData(0.001, 10, 1)]
    [InlineData(1, 10, 10)]
    public void Random_Share_IsRoundedUp(double share, int neurons, int count)
    {
        IReadOnlyList<int> chosen = NeuronSelection.Random(neurons, share, 4);

        Assert.Equal(count, chosen.Distinct().Count());
        Assert.All(chosen, neuron => Assert.InRange(neuron, 0, neurons - 1));
        Assert.Equal(chosen, NeuronSelection.Random(neurons, share, 4));
    }

    [Fact]
    public void Top_Ties_GoToTheFirstAndNaNComesLast() =>
        Assert.Equal([1, 3, 0, 2], NeuronSelection.Top([2, 5, double.NaN, 5], 1));

    [Fact]
    public void Top_ByMagnitude_TakesNegativeMeans()
    {
        using var fixture = new LayerFixture();
        LayerEntanglement layer = new EntanglementAnalyzer().Analyze(fixture.Layer, fixture.Tokens);

        Assert.Equal(
            layer.Neurons.MaxBy(neuron => Math.Abs(neuron.Mean))!.Neuron, NeuronSelection.Top(layer, NeuronMeasure.Mean, 0.05, byMagnitude: true)[0]);
        Assert.Equal(layer.Neurons.MaxBy(neuron => neuron.Mean)!.Neuron, NeuronSelection.Top(layer, NeuronMeasure.Mean, 0.05)[0]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Random_BadShare_Throws(double share) => Assert.Throws<ArgumentOutOfRangeException>(() => NeuronSelection.Random(10, share, 0));
}
