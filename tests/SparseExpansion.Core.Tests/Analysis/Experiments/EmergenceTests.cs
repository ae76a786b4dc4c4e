using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis.Experiments;

public sealed class EmergenceTests
{
    [Fact]
    public void Follow_Checkpoints_GivesTrajectoriesInOrder()
    {
        Emergence emergence = Emergence.Follow(["step1", "step2"], (name, _) => [Measured("up", name == "step1" ? [0.1, 0.2, 0.3] : [0.9, 0.2, 0.8])]);

        Assert.Equal(["step1", "step2"], emergence.Points.Select(point => point.Checkpoint));
        Assert.Equal([0.1, 0.9], emergence.Trajectory("up", 0, NeuronMeasure.Wasserstein));
        Assert.Equal([0.5, 1], emergence.SettledShare("up"));
    }

    [Fact]
    public void Follow_OtherLayers_NamesTheCheckpoint()
    {
        var error = Assert.Throws<SparseExpansionException>(() =>
            Emergence.Follow(["a", "b"], (name, _) => [Measured("up", name == "a" ? [0.1, 0.2] : [0.1])]));
        Assert.Contains("'b'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Follow_BadArguments_Throw()
    {
        Emergence emergence = Emergence.Follow(["a"], (_, _) => [Measured("up", [0.1, 0.2])]);

        Assert.Throws<ArgumentException>(() => Emergence.Follow([], (_, _) => []));
        Assert.Throws<ArgumentException>(() => emergence.SettledShare("down"));
        Assert.Throws<ArgumentOutOfRangeException>(() => emergence.Trajectory("up", 2, NeuronMeasure.Mean));
        Assert.Throws<OperationCanceledException>(() => Emergence.Follow(["a"], (_, _) => [], new CancellationToken(true)));
    }

    private static LayerEntanglement Measured(string layer, double[] distances) => new()
    {
        Layer = layer,
        TokenCount = 10,
        MappingPairs = 0,
        Neurons = [.. distances.Select((distance, neuron) => new NeuronStatistics(neuron, distance, double.NaN, 0, 1, 0, 0, 1, false))],
        WassersteinNeurons = NeuronSelection.Top(distances, 0.5),
    };
}
