using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Correlations;
using SparseExpansion.Analysis.Experiments;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Execution;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

OpenMPWaiting.UsePassive(); // before any other use of torch: its waiting threads then do not starve others
manual_seed(1);
using var noGrad = no_grad();
using var linear = nn.Linear(64, 256);
using Tensor inputs = ClusteredInputs(count: 8_192);
var tokens = new TokenMatrix(inputs);

#region analyze
var analyzer = new EntanglementAnalyzer(new AnalysisOptions { TopShare = 0.03 });
LayerEntanglement layer = analyzer.Analyze(DenseLinear.From("linear", linear), tokens);
foreach (int neuron in layer.WassersteinNeurons)
{
    Console.WriteLine($"neuron {neuron}: W₁ to the Gaussian {layer.Neurons[neuron].Wasserstein:F3}");
}
#endregion

var sweep = new ClusterSweep(
    analyzer, new SparseGptSparsifier(), SparsityTarget.Unstructured(0.8), new ClusterSweepOptions { Clusters = [1, 2, 4, 8] });
ClusterSweepResult result = sweep.Run(DenseLinear.From("linear", linear), tokens);
foreach (ClusterSweepPoint step in result.Points)
{
    Console.WriteLine($"{step.Clusters} clusters: mean relative improvement {step.RelativeImprovement.Average():F2}");
}

ClusterSweepPoint point = result.Points[^1];
#region correlate
var measures = new Dictionary<string, IReadOnlyList<double>>(layer.Measures()) { ["RelativeImprovement"] = point.RelativeImprovement };
IReadOnlyList<RankCorrelationResult> correlations = RankCorrelation.Between(measures);
#endregion
foreach (RankCorrelationResult pair in correlations.Where(pair => pair.Second == "RelativeImprovement"))
{
    Console.WriteLine($"{pair.First} and relative improvement: rank correlation {pair.Coefficient:F2} [{pair.Lower:F2}, {pair.Upper:F2}]");
}

static Tensor ClusteredInputs(int count)
{
    using var scope = NewDisposeScope();
    Tensor cluster = randint(8, count, dtype: int64);
    return (randn(8, 64).index_select(0, cluster) * Scalars.Of(3)).Plus(randn(count, 64)).MoveToOuterDisposeScope();
}
