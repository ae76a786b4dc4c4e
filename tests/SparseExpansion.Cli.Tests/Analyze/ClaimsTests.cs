using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Correlations;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze;

public sealed class ClaimsTests
{
    private static readonly AnalyzeSettings s_settings = new(["*"], [1, 4], 0.9, 0);

    [Theory]
    [InlineData(-0.4, 0.1, nameof(Verdict.Holds))]
    [InlineData(-0.4, -0.5, nameof(Verdict.DoesNotHold))]
    [InlineData(0.2, 0.5, nameof(Verdict.DoesNotHold))]
    public void Clustering_IsJudgedAgainstZeroAndRandomClusters(double change, double random, string expected) =>
        Assert.Equal(expected, Claims.Judge([Layer(change, random)], Ablation(2, 1), s_settings)[0].Verdict.ToString());

    [Theory]
    [InlineData(21, 20.9, nameof(Verdict.Holds))]
    [InlineData(21, 21, nameof(Verdict.DoesNotHold))]
    [InlineData(21, 22, nameof(Verdict.DoesNotHold))]
    public void Ablation_MustExceedEveryDraw(double top, double worstRandom, string expected) =>
        Assert.Equal(expected, Claims.Judge([Layer()], Ablation(top, worstRandom), s_settings)[1].Verdict.ToString());

    [Theory]
    [InlineData(1.1, 1.2, nameof(Verdict.Holds))]
    [InlineData(1.1, 0.9, nameof(Verdict.HoldsInPart))]
    [InlineData(1.0, 0.9, nameof(Verdict.DoesNotHold))]
    public void Improvement_MustRiseInEveryLayer(double first, double second, string expected) =>
        Assert.Equal(expected, Claims.Judge([Layer(improvement: first), Layer(improvement: second)], Ablation(2, 1), s_settings)[2].Verdict.ToString());

    [Theory]
    [InlineData(0.1, 0.5, nameof(Verdict.Holds))]
    [InlineData(-0.1, 0.5, nameof(Verdict.DoesNotHold))]
    [InlineData(double.NaN, double.NaN, nameof(Verdict.DoesNotHold))]
    public void Correlation_IntervalMustLieAboveZero(double lower, double upper, string expected) =>
        Assert.Equal(expected, Claims.Judge([Layer(lower: lower, upper: upper)], Ablation(2, 1), s_settings)[3].Verdict.ToString());

    [Fact]
    public void Correlation_NotMeasured_SaysSo()
    {
        Claim claim = Claims.Judge([Layer()], Ablation(2, 1), s_settings)[4];
        Assert.Equal(Verdict.DoesNotHold, claim.Verdict);
        Assert.Contains("Not measured", claim.Summary, StringComparison.Ordinal);
    }

    private static AblationResult Ablation(double top, double worstRandom) => new(1, 1, 3,
    [
        new(AblationResult.TopWasserstein, 0, 0.9, top), new(AblationResult.Random, 0, 0.9, worstRandom - 0.5), new(AblationResult.Random, 1, 0.9, worstRandom),
        new(AblationResult.TopWasserstein, 0, 0.5, 1), new(AblationResult.Random, 0, 0.5, 100),
    ]);

    private static LayerResult Layer(double change = -0.4, double random = 0, double improvement = 1.1, double lower = 0.1, double upper = 0.5) => new()
    {
        Layer = "layer",
        InputGroup = ["layer"],
        InFeatures = 2,
        OutFeatures = 3,
        CalibrationTokens = 10,
        MeasuredTokens = 10,
        MappingPairs = 0,
        ConstantNeurons = 0,
        WassersteinNeurons = [1],
        Expansions = [Point(1, 0, 1), Point(4, change, improvement)],
        RandomClusters = Point(4, random, 1),
        Correlations = [new RankCorrelationResult(nameof(NeuronMeasure.Wasserstein), Claims.RelativeImprovement, 3, (lower + upper) / 2, lower, upper)],
        Picture = new NeuronPicture(1, 0, 1, [1], [[1], [1]]),
        Neurons = [],
    };

    /// <summary>Changes of other neurons than the Wasserstein neuron must not count.</summary>
    private static ExpansionPoint Point(int clusters, double change, double improvement) => new()
    {
        Clusters = clusters,
        TokensPerExpert = [10],
        OutputError = 1,
        RelativeImprovement = [improvement, improvement, improvement],
        RootMeanSquareError = [1, 1, 1],
        SparseToDense = [1, 1, 1],
        WeightedWasserstein = [1, 1, 1],
        WeightedMappingDifficulty = [1, 1, 1],
        WassersteinChange = [-change, change, double.NaN],
    };
}
