using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Correlations;
using SparseExpansion.Analysis.Experiments;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Routers;

namespace SparseExpansion.Cli.Analyze.Measuring;

/// <summary>Measures one layer: its neurons, its expansions, the control.</summary>
internal sealed class LayerAnalysis(AnalyzeSettings settings, CancellationToken cancellationToken)
{
    private readonly EntanglementAnalyzer _analyzer = new(
        new AnalysisOptions { TopShare = settings.TopShare, Seed = settings.Seed });

    /// <summary>Measures the dense neurons over all tokens.</summary>
    public LayerEntanglement Measure(DenseLinear layer, ITokenSource measured) =>
        _analyzer.Analyze(layer, measured, cancellationToken);

    /// <summary>Expands the layer with each number of experts, and compares.</summary>
    public LayerResult Run(
        DenseLinear layer, LayerEntanglement dense, IReadOnlyList<string> group, ITokenSource calibration,
        ITokenSource measured)
    {
        int entangled = dense.WassersteinNeurons[0];
        ClusterSweepResult sweep = Sweep(
            new ClusterSweepOptions { Clusters = settings.Experts, RecordedNeurons = [entangled] }, layer, calibration,
            measured);
        ClusterSweepResult control = Sweep(
            new ClusterSweepOptions { Clusters = [settings.MostExperts], Trainer = clusters => new RandomRouterTrainer(clusters) }, layer, calibration, measured);
        ExpansionPoint[] expansions = [.. sweep.Points.Select(point => ExpansionPoint.Of(point, dense))];
        return new LayerResult
        {
            Layer = layer.Name,
            InputGroup = group,
            InFeatures = layer.InFeatures,
            OutFeatures = layer.OutFeatures,
            CalibrationTokens = calibration.TokenCount,
            MeasuredTokens = dense.TokenCount,
            MappingPairs = dense.MappingPairs,
            ConstantNeurons = dense.ConstantNeurons,
            WassersteinNeurons = dense.WassersteinNeurons,
            Expansions = expansions,
            RandomClusters = ExpansionPoint.Of(control.Points[0], dense),
            Correlations = Correlate(dense, expansions[^1]),
            Picture = NeuronPicture.Of(sweep, entangled),
            Neurons = dense.Neurons,
        };
    }

    private ClusterSweepResult Sweep(
        ClusterSweepOptions options, DenseLinear layer, ITokenSource calibration, ITokenSource measured) =>
        new ClusterSweep(_analyzer, new SparseGptSparsifier(), SparsityTarget.Unstructured(settings.Sparsity), options)
            .Run(layer, calibration, measured, cancellationToken);

    /// <summary>Layers of one or two neurons have no correlations.</summary>
    private IReadOnlyList<RankCorrelationResult> Correlate(LayerEntanglement dense, ExpansionPoint most)
    {
        var measures = new Dictionary<string, IReadOnlyList<double>>(dense.Measures()) { [Claims.RelativeImprovement] = most.RelativeImprovement };
        return dense.Neurons.Count < 3
            ? []
            : RankCorrelation.Between(measures, new RankCorrelationOptions { Seed = settings.Seed });
    }
}
