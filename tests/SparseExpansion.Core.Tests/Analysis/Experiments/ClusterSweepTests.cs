using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Experiments;

public sealed class ClusterSweepTests : IDisposable
{
    private static readonly EntanglementAnalyzer Analyzer = new(new AnalysisOptions { MappingPairs = 100 });
    private static readonly SparsityTarget Target = SparsityTarget.Unstructured(0.5);

    private readonly LayerFixture _fixture = new(tokens: 800);

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Run_GroupedInputs_ImprovesWithClusters()
    {
        ClusterSweepResult result = Sweep(new ClusterSweepOptions { Clusters = [1, 2, 4], Trainer = Published }).Run(_fixture.Layer, _fixture.Tokens);

        Assert.Equal([1, 2, 4], result.Points.Select(point => point.Clusters));
        Assert.All(result.Points[0].RelativeImprovement, ratio => Assert.Equal(1, ratio));
        Assert.InRange(result.Points[1].RelativeImprovement.Average(), 1.05, 100);
        Assert.InRange(result.Points[2].RelativeImprovement.Average(), result.Points[1].RelativeImprovement.Average(), 100);
        Assert.All(result.Points, point => Assert.Equal(800, point.Comparison.TokensPerExpert.Sum()));
        Assert.All(result.Points, point => Assert.Equal(point.Comparison.TokensPerExpert, point.Entanglement!.TokensPerCluster));
    }

    [Fact]
    public void Run_ChosenNeurons_ComparesAndRecordsOnlyThem()
    {
        var options = new ClusterSweepOptions { Clusters = [2], Trainer = Published, Neurons = [3, 9], RecordedNeurons = [9], AnalyzeClusters = false };
        using Tensor held = _fixture.Inputs.narrow(0, 0, 300);

        ClusterSweepResult result = Sweep(options).Run(_fixture.Layer, _fixture.Tokens, new TokenMatrix(held));

        ClusterSweepPoint point = Assert.Single(result.Points);
        Assert.Equal([3, 9], point.Comparison.Neurons.Select(neuron => neuron.Neuron));
        Assert.Null(point.Entanglement);
        float[] dense = result.DenseOutputs[9], sparse = point.SparseOutputs[9];
        Assert.Equal((300, 300), (dense.Length, sparse.Length));
        double error = Math.Sqrt(dense.Zip(sparse, (a, b) => Math.Pow(a - (double)b, 2)).Average());
        Assert.Equal(point.Comparison.Neurons[1].RootMeanSquareError, error, 1e-6);
    }

    [Fact]
    public void Run_ExpertWithoutTokens_IsPrunedOnAllTokens()
    {
        // All tokens are alike for this router, so seven of its eight experts stay empty.
        using Tensor inputs = zeros(50, LayerFixture.In);
        using Tensor first = inputs.narrow(1, 0, 1);
        first.fill_(Scalars.Of(1));
        var options = new ClusterSweepOptions { Clusters = [8], Trainer = clusters => new RandomRouterTrainer(clusters) };

        ClusterSweepResult result = Sweep(options).Run(_fixture.Layer, new TokenMatrix(inputs));

        Assert.Equal(50, result.Points[0].Comparison.TokensPerExpert.Max());
    }

    [Fact]
    public void Run_LeavesNothingBehind()
    {
        ClusterSweep sweep = Sweep(new ClusterSweepOptions { Clusters = [1, 3], Trainer = clusters => new RandomRouterTrainer(clusters), RecordedNeurons = [1] });
        DenseLinear layer = _fixture.Layer;
        TokenMatrix tokens = _fixture.Tokens;
        LeakCheck.NoTensorsLeft(() => sweep.Run(layer, tokens));
    }

    [Fact]
    public void Options_Bad_Throw()
    {
        Assert.Throws<ArgumentException>(() => Sweep(new ClusterSweepOptions { Clusters = [] }));
        Assert.Throws<ArgumentException>(() => Sweep(new ClusterSweepOptions { Clusters = [0] }));
    }

    private static ClusterSweep Sweep(ClusterSweepOptions options) => new(Analyzer, new SparseGptSparsifier(), Target, options);

    private static PcaKMeansTrainer Published(int clusters) => new(new PcaKMeansOptions { Experts = clusters, PcaReduction = null });
}
