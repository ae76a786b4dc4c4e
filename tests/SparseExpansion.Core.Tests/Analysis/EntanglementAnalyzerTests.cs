using MathNet.Numerics.Statistics;
using SparseExpansion.Analysis.Clusters;
using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

public sealed class EntanglementAnalyzerTests : IDisposable
{
    private readonly LayerFixture _fixture = new();
    private readonly EntanglementAnalyzer _analyzer = new(new AnalysisOptions { ChunkTokens = 100, TopShare = 0.1 });

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Analyze_Layer_EqualsDoublePrecisionReference()
    {
        LayerEntanglement result = _analyzer.Analyze(_fixture.Layer, _fixture.Tokens);

        double[][] outputs = _fixture.Outputs();
        Assert.Equal((600L, 300), (result.TokenCount, result.MappingPairs));
        foreach (NeuronStatistics neuron in result.Neurons)
        {
            double[] values = outputs[neuron.Neuron];
            double mean = values.Average(), variance = Central(values, mean, 2);
            Assert.Equal(Wasserstein.ToGaussian(values), neuron.Wasserstein, 1e-5);
            Assert.Equal(mean, neuron.Mean, 1e-4);
            Assert.Equal(1, neuron.Variance / variance, 1e-4);
            Assert.Equal(Central(values, mean, 3) / Math.Pow(variance, 1.5), neuron.Skewness, 1e-4);
            Assert.Equal((Central(values, mean, 4) / (variance * variance)) - 3, neuron.ExcessKurtosis, 1e-4);
            Assert.Equal(Norm(neuron.Neuron), neuron.WeightNorm, 1e-5);
            Assert.False(neuron.IsConstant);
        }
    }

    [Fact]
    public void Analyze_WassersteinNeurons_AreTheTopShareInOrder()
    {
        LayerEntanglement result = _analyzer.Analyze(_fixture.Layer, _fixture.Tokens);

        Assert.Equal(
            result.Neurons.OrderByDescending(neuron => neuron.Wasserstein).Take(2).Select(neuron => neuron.Neuron), result.WassersteinNeurons);
        MeasureSummary summary = result.Summarize(NeuronMeasure.Wasserstein);
        Assert.Equal(result.Values(NeuronMeasure.Wasserstein).Max(), summary.Maximum);
        Assert.Equal(result.Values(NeuronMeasure.Wasserstein).Median(), summary.Median);
        Assert.Equal(LayerFixture.Out, summary.Count);
    }

    [Fact]
    public void Analyze_PanelsAndChunks_DoNotChangeTheResult()
    {
        LayerEntanglement whole = new EntanglementAnalyzer().Analyze(_fixture.Layer, _fixture.Tokens);
        long least = LeastBudget();
        var small = new AnalysisOptions { MemoryBudgetBytes = least, ChunkTokens = 7 };

        LayerEntanglement cut = new EntanglementAnalyzer(small).Analyze(_fixture.Layer, new TokenMatrix(_fixture.Inputs.split(250)));

        AssertClose(whole, cut);
    }

    [Fact]
    public void Analyze_SameSeed_IsBitIdentical() =>
        Assert.Equal(_analyzer.Analyze(_fixture.Layer, _fixture.Tokens).Neurons, _analyzer.Analyze(_fixture.Layer, _fixture.Tokens).Neurons);

    [Fact]
    public void Analyze_MappingDifficulty_EqualsReferenceOverAllPairsOfTwoTokens()
    {
        // Four tokens give two pairs whichever way they are drawn; all three pairings are candidates.
        using var fixture = new LayerFixture(tokens: 4);
        double[][] outputs = fixture.Outputs(), inputs = fixture.InputRows();
        int[][] pairings = [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]];

        LayerEntanglement result = _analyzer.Analyze(fixture.Layer, fixture.Tokens);

        Assert.Contains(pairings, pairing => result.Neurons.All(neuron =>
            Math.Abs(Difficulty(outputs[neuron.Neuron], inputs, pairing) - neuron.MappingDifficulty) < 1e-3 * neuron.MappingDifficulty));
    }

    [Fact]
    public void Analyze_DoubledWeight_KeepsShapeMeasures()
    {
        using Tensor doubled = _fixture.Weight * Scalars.Of(2);
        LayerEntanglement plain = _analyzer.Analyze(_fixture.Layer, _fixture.Tokens);
        LayerEntanglement scaled = _analyzer.Analyze(new DenseLinear("layer", doubled), _fixture.Tokens);

        Assert.All(plain.Neurons.Zip(scaled.Neurons), pair =>
        {
            Assert.Equal(pair.First.Wasserstein, pair.Second.Wasserstein, 1e-5);
            Assert.Equal(1, pair.Second.MappingDifficulty / pair.First.MappingDifficulty, 1e-4);
            Assert.Equal(4, pair.Second.Variance / pair.First.Variance, 1e-3);
        });
    }

    [Fact]
    public void Analyze_ConstantNeuron_IsReportedAndNeverEntangled()
    {
        using Tensor weight = _fixture.Weight.clone();
        using (Tensor row = weight.narrow(0, 3, 1))
        {
            row.zero_();
        }

        LayerEntanglement result = _analyzer.Analyze(new DenseLinear("layer", weight, _fixture.Bias), _fixture.Tokens);

        Assert.Equal(new NeuronStatistics(3, 0, 0, result.Neurons[3].Mean, 0, 0, 0, 0, true), result.Neurons[3]);
        Assert.Equal(1, result.ConstantNeurons);
        Assert.DoesNotContain(3, result.WassersteinNeurons);
    }

    [Fact]
    public void Analyze_EqualTokens_AreNoPairs()
    {
        using Tensor inputs = ones(10, LayerFixture.In);

        LayerEntanglement result = _analyzer.Analyze(_fixture.Layer, new TokenMatrix(inputs));

        Assert.Equal(0, result.MappingPairs);
        Assert.All(result.Neurons, neuron => Assert.True(neuron.IsConstant && double.IsNaN(neuron.MappingDifficulty)));
        Assert.DoesNotContain(nameof(NeuronMeasure.MappingDifficulty), result.Measures().Keys);
    }

    [Fact]
    public void Analyze_Sample_SeesThatManyTokens()
    {
        var analyzer = new EntanglementAnalyzer(new AnalysisOptions { SampleTokens = 200, MappingPairs = 0 });

        LayerEntanglement result = analyzer.Analyze(_fixture.Layer, _fixture.Tokens);
        ClusterEntanglement clusters = analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, _fixture.Assign(3));

        Assert.Equal(200, result.TokenCount);
        Assert.Equal(200, clusters.TokensPerCluster.Sum());
        Assert.All(result.Neurons, neuron => Assert.True(double.IsNaN(neuron.MappingDifficulty)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Analyze_TokensNotFinite_NamesTheLayer(float bad)
    {
        using Tensor inputs = _fixture.Inputs.clone();
        inputs[17, 2] = bad;
        var unpaired = new EntanglementAnalyzer(new AnalysisOptions { MappingPairs = 0 });

        Assert.Contains("'layer'", Assert.Throws<CalibrationException>(() => _analyzer.Analyze(_fixture.Layer, new TokenMatrix(inputs))).Message, StringComparison.Ordinal);
        Assert.Contains("neuron 0", Assert.Throws<CalibrationException>(() => unpaired.Analyze(_fixture.Layer, new TokenMatrix(inputs))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Analyze_BadArguments_Throw()
    {
        using Tensor one = zeros(1, LayerFixture.In);
        using Tensor wide = zeros(5, LayerFixture.In + 1);
        using Tensor poisoned = full(3, LayerFixture.In, Scalars.Of(float.NaN));
        using Tensor vector = zeros(4);

        Assert.Throws<CalibrationException>(() => _analyzer.Analyze(_fixture.Layer, new TokenMatrix(one)));
        Assert.Throws<CalibrationException>(() => _analyzer.Analyze(_fixture.Layer, new TokenMatrix(wide)));
        Assert.Throws<SparseExpansionException>(() => new DenseLinear("layer", poisoned));
        Assert.Throws<ArgumentException>(() => new DenseLinear("layer", vector));
        Assert.Throws<ArgumentException>(() => new DenseLinear("layer", _fixture.Weight, vector));
        Assert.Throws<ArgumentException>(() => _analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, _fixture.Assign(2), [0, 0]));
        Assert.Throws<ArgumentException>(() => _analyzer.AnalyzeClusters(_fixture.Layer, _fixture.Tokens, _fixture.Assign(2), [LayerFixture.Out]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EntanglementAnalyzer(new AnalysisOptions { TopShare = double.NaN }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EntanglementAnalyzer(new AnalysisOptions { MemoryBudgetBytes = 0 }));
    }

    [Fact]
    public void Analyze_Cancelled_Stops() =>
        Assert.Throws<OperationCanceledException>(() => _analyzer.Analyze(_fixture.Layer, _fixture.Tokens, new CancellationToken(true)));

    [Fact]
    public void Outputs_ChosenNeurons_AreThoseOfTheLayer()
    {
        double[][] expected = _fixture.Outputs();

        float[][] outputs = _analyzer.Outputs(_fixture.Layer, _fixture.Tokens, [5, 0]);

        Assert.All(expected[5].Zip(outputs[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.All(expected[0].Zip(outputs[1]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Analyze_OnCuda_AgreesWithCpu()
    {
        Assert.SkipUnless(cuda.is_available(), "Needs a CUDA device.");
        using var scope = NewDisposeScope();
        var moved = new DenseLinear("layer", _fixture.Weight.cuda(), _fixture.Bias.cuda());

        AssertClose(_analyzer.Analyze(_fixture.Layer, _fixture.Tokens), _analyzer.Analyze(moved, _fixture.Tokens));
    }

    private static void AssertClose(LayerEntanglement expected, LayerEntanglement actual) =>
        Assert.All(expected.Neurons.Zip(actual.Neurons), pair => Assert.All(
            Enum.GetValues<NeuronMeasure>(), measure => Assert.Equal(pair.First[measure], pair.Second[measure], 1e-4 * (1 + Math.Abs(pair.First[measure])))));

    private long LeastBudget()
    {
        for (long budget = 1_000; ; budget += 500)
        {
            try
            {
                new EntanglementAnalyzer(new AnalysisOptions { MemoryBudgetBytes = budget }).Analyze(_fixture.Layer, _fixture.Tokens);
                return budget;
            }
            catch (SparseExpansionException error)
            {
                Assert.Contains(nameof(AnalysisOptions.MemoryBudgetBytes), error.Message, StringComparison.Ordinal);
            }
        }
    }

    private double Norm(int neuron)
    {
        using Tensor row = _fixture.Weight[neuron];
        return Math.Sqrt(row.data<float>().Sum(w => (double)w * w));
    }

    private static double Central(double[] values, double mean, int power) => values.Average(value => Math.Pow(value - mean, power));

    private static double Difficulty(double[] outputs, double[][] inputs, int[] pairing)
    {
        (int A, int B)[] pairs = [(pairing[0], pairing[1]), (pairing[2], pairing[3])];
        double[] dy = [.. pairs.Select(pair => Math.Abs(outputs[pair.A] - outputs[pair.B]))];
        double[] dx = [.. pairs.Select(pair => Math.Sqrt(inputs[pair.A].Zip(inputs[pair.B], (a, b) => (a - b) * (a - b)).Sum()))];
        return dy.Zip(dx, (y, x) => y / dy.Median() / (x / dx.Max())).Average();
    }
}
