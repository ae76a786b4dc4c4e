using SparseExpansion.Analysis.Clusters;
using SparseExpansion.Analysis.Comparison;
using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>Neurons inside clusters, and sparse experts against the dense layer.</summary>
public sealed class ExpertAnalysisTests : IDisposable
{
    private readonly LayerFixture _fixture = new();
    private readonly EntanglementAnalyzer _analyzer = new(new AnalysisOptions { ChunkTokens = 100, TopShare = 0.1 });

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void AnalyzeClusters_Layer_EqualsAnalysisOfEachCluster()
    {
        RouterAssignment assignment = _fixture.Assign(3);

        ClusterEntanglement result = _analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, assignment, [4, 1]);

        double[][] outputs = _fixture.Outputs();
        Assert.Equal(assignment.TokensPerExpert, result.TokensPerCluster);
        Assert.Equal([4, 1], result.Neurons.Select(neuron => neuron.Neuron));
        foreach (NeuronClusterEntanglement neuron in result.Neurons)
        {
            double weighted = 0;
            for (int cluster = 0; cluster < 3; cluster++)
            {
                double expected = Wasserstein.ToGaussian([.. assignment.TokensOf(cluster).ToArray().Select(token => outputs[neuron.Neuron][token])]);
                Assert.Equal(expected, neuron.Wasserstein[cluster], 1e-4);
                weighted += expected * assignment.TokensPerExpert[cluster] / 600;
            }

            Assert.Equal(weighted, neuron.WeightedWasserstein, 1e-4);
            Assert.InRange(neuron.WeightedMappingDifficulty, neuron.MappingDifficulty.Min(), neuron.MappingDifficulty.Max());
        }
    }

    [Fact]
    public void AnalyzeClusters_OneCluster_IsTheWholeAnalysis()
    {
        LayerEntanglement whole = _analyzer.Analyze(_fixture.Layer, _fixture.Tokens);
        ClusterEntanglement one = _analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, _fixture.Assign(1));

        Assert.Equal(whole.Values(NeuronMeasure.Wasserstein), one.Neurons.Select(neuron => neuron.Wasserstein[0]));
        Assert.Equal(whole.Values(NeuronMeasure.MappingDifficulty), one.Neurons.Select(neuron => neuron.MappingDifficulty[0]));
        Assert.All(one.WassersteinChange(whole), change => Assert.Equal(0, change, 1e-12));
    }

    [Fact]
    public void AnalyzeClusters_TrueGroups_LowerTheDistance()
    {
        using IRouter router = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
            .Fit(_fixture.Tokens, new RouterTrainingContext("layer", CPU, 1));
        RouterAssignment assignment = RouterAssignment.Compute(router, _fixture.Tokens, 100, CPU);

        LayerEntanglement whole = _analyzer.Analyze(_fixture.Layer, _fixture.Tokens);
        double[] change = _analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, assignment).WassersteinChange(whole);

        Assert.All(whole.WassersteinNeurons, neuron => Assert.InRange(change[neuron], -1, -0.3));
    }

    [Fact]
    public void Compare_Experts_EqualsDoublePrecisionReference()
    {
        RouterAssignment assignment = _fixture.Assign(3);
        using var scope = NewDisposeScope();
        Tensor[] experts = Experts(3);

        SparsityComparison result = _analyzer.Compare(_fixture.Layer, experts, _fixture.Tokens, assignment, [7, 2]);

        double[][] dense = _fixture.Outputs(), inputs = _fixture.InputRows();
        foreach (NeuronComparison neuron in result.Neurons)
        {
            double[] sparse = [.. inputs.Select((input, token) => Dot(experts[assignment.Experts[token]], neuron.Neuron, input))];
            double[] reference = dense[neuron.Neuron];
            Assert.Equal(Math.Sqrt(sparse.Zip(reference, (a, b) => (a - b) * (a - b)).Average()), neuron.RootMeanSquareError, 1e-4);
            Assert.Equal(Wasserstein.Between(sparse, reference), neuron.Wasserstein, 1e-4);
            Assert.Equal(Wasserstein.ToGaussian(sparse), neuron.SparseToGaussian, 1e-4);
            Assert.Equal(Wasserstein.ToGaussian(reference), neuron.DenseToGaussian, 1e-4);
            Assert.Equal(neuron.Wasserstein / Math.Sqrt(Central(reference, reference.Average(), 2)), neuron.RelativeWasserstein, 1e-4);
        }
    }

    [Fact]
    public void Compare_Mixture_EqualsItsExpertsAndItsForwardPass()
    {
        using var scope = NewDisposeScope();
        Tensor[] experts = Experts(3);
        using var mixture = new SparseMixtureLayer("layer", new RandomRouter(LayerFixture.In, 3, 5), experts, _fixture.Bias);

        SparsityComparison byLayer = _analyzer.Compare(_fixture.Layer, mixture, _fixture.Tokens);
        SparsityComparison byWeights = _analyzer.Compare(_fixture.Layer, experts, _fixture.Tokens, _fixture.Assign(3));
        LayerEntanglement measured = _analyzer.Analyze(mixture, _fixture.Tokens);

        Assert.Equal(byWeights.Neurons, byLayer.Neurons);
        double[] means = mixture.call(_fixture.Inputs).mean([0L]).to(ScalarType.Float64).data<double>().ToArray();
        Assert.All(measured.Neurons, neuron => Assert.Equal(means[neuron.Neuron], neuron.Mean, 1e-4));
        Assert.Equal(byLayer.Neurons.Select(neuron => neuron.SparseToGaussian), measured.Values(NeuronMeasure.Wasserstein));
    }

    [Fact]
    public void RelativeImprovement_OfSameAndExactOutputs_IsOneAndInfinite()
    {
        using var scope = NewDisposeScope();
        RouterAssignment one = _fixture.Assign(1);
        SparsityComparison pruned = _analyzer.Compare(_fixture.Layer, Experts(1), _fixture.Tokens, one);
        SparsityComparison exact = _analyzer.Compare(_fixture.Layer, [_fixture.Weight], _fixture.Tokens, one);

        Assert.All(pruned.RelativeImprovementOver(pruned), ratio => Assert.Equal(1, ratio));
        Assert.All(exact.RelativeImprovementOver(pruned), ratio => Assert.Equal(double.PositiveInfinity, ratio));
        Assert.All(exact.RelativeImprovementOver(exact), ratio => Assert.Equal(1, ratio));
        Assert.Equal(0, exact.RootMeanSquareError);
    }

    [Fact]
    public void Compare_MisfittingExperts_Throw()
    {
        using var scope = NewDisposeScope();
        RouterAssignment two = _fixture.Assign(2);

        Assert.Throws<ArgumentException>(() => _analyzer.Compare(_fixture.Layer, Experts(3), _fixture.Tokens, two));
        Assert.Throws<ArgumentException>(() => _analyzer.Compare(_fixture.Layer, [zeros(2, 2), zeros(2, 2)], _fixture.Tokens, two));
        Assert.Throws<ArgumentException>(() => _analyzer.AnalyzeClusters(_fixture.Layer, new TokenMatrix(_fixture.Inputs.narrow(0, 0, 9)), two));
    }

    [Fact]
    public void EntryPoints_LeaveNothingBehind()
    {
        using var scope = NewDisposeScope();
        RouterAssignment assignment = _fixture.Assign(3);
        Tensor[] experts = Experts(3);
        using var mixture = new SparseMixtureLayer("layer", new RandomRouter(LayerFixture.In, 3, 5), experts, _fixture.Bias);
        DenseLinear layer = _fixture.Layer;
        TokenMatrix tokens = _fixture.Tokens;

        LeakCheck.NoTensorsLeft(() => _analyzer.Analyze(layer, tokens));
        LeakCheck.NoTensorsLeft(() => _analyzer.Analyze(mixture, tokens));
        LeakCheck.NoTensorsLeft(() => _analyzer.AnalyzeClusters(layer, tokens, assignment));
        LeakCheck.NoTensorsLeft(() => _analyzer.Compare(layer, experts, tokens, assignment));
        LeakCheck.NoTensorsLeft(() => _analyzer.Compare(layer, mixture, tokens));
        LeakCheck.NoTensorsLeft(() => _analyzer.Outputs(layer, experts, tokens, assignment, [1]));
    }

    private Tensor[] Experts(int count) => [.. Enumerable.Range(0, count).Select(expert =>
        _fixture.Weight * (TensorArithmetic.Range(LayerFixture.In).remainder(Scalars.Of(count + 1)) != Scalars.Of(expert)).to(ScalarType.Float32))];

    private double Dot(Tensor weight, int neuron, double[] input)
    {
        using var scope = NewDisposeScope();
        float[] row = weight[neuron].data<float>().ToArray();
        return row.Zip(input, (w, x) => w * x).Sum() + _fixture.Bias[neuron].item<float>();
    }

    private static double Central(double[] values, double mean, int power) => values.Average(value => Math.Pow(value - mean, power));
}
