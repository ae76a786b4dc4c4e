using SparseExpansion.Analysis.Comparison;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>
/// Expands one layer to more and more clusters and compares the experts' outputs with the dense ones: relative
/// improvement against the number of clusters. arXiv 2405.15756.
/// </summary>
public sealed class ClusterSweep
{
    private readonly EntanglementAnalyzer _analyzer;
    private readonly ISparsifier _sparsifier;
    private readonly SparsityTarget _target;
    private readonly ClusterSweepOptions _options;

    /// <summary>Creates the experiment.</summary>
    /// <param name="analyzer">Measures; its seed and chunk size are used for routers too.</param>
    /// <param name="sparsifier">Prunes every expert.</param>
    /// <param name="target">Sparsity of the experts.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ClusterSweep(
        EntanglementAnalyzer analyzer, ISparsifier sparsifier, SparsityTarget target,
        ClusterSweepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(analyzer);
        ArgumentNullException.ThrowIfNull(sparsifier);
        ArgumentNullException.ThrowIfNull(target);
        _options = options ?? new ClusterSweepOptions();
        _options.Validate();
        (_analyzer, _sparsifier, _target) = (analyzer, sparsifier, target);
    }

    /// <summary>Runs it.</summary>
    /// <param name="layer">The dense layer.</param>
    /// <param name="calibration">Inputs that routers and pruners see.</param>
    /// <param name="evaluation">Inputs that outputs are compared on; null for the calibration tokens.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <exception cref="CalibrationException">Tokens that do not fit the layer, or fewer than clusters.</exception>
    public ClusterSweepResult Run(
        DenseLinear layer, ITokenSource calibration, ITokenSource? evaluation = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(calibration);
        evaluation ??= calibration;
        layer.CheckTokens(calibration);
        layer.CheckTokens(evaluation);
        ClusterSweepPoint single = RunPoint(layer, calibration, evaluation, 1, null, cancellationToken);
        return new ClusterSweepResult
        {
            Layer = layer.Name,
            Points = [.. _options.Clusters.Select(clusters =>
                clusters == 1
                    ? single
                    : RunPoint(layer, calibration, evaluation, clusters, single.Comparison, cancellationToken))],
            DenseOutputs = Record(() =>
                _analyzer.Outputs(layer, evaluation, _options.RecordedNeurons, cancellationToken)),
        };
    }

    private ClusterSweepPoint RunPoint(
        DenseLinear layer, ITokenSource calibration, ITokenSource evaluation, int clusters, SparsityComparison? single,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Device device = layer.Weight.device;
        int chunk = _analyzer.Options.ChunkTokens;
        using IRouter router = ClusterExpansion.Fit(
            layer, calibration, _analyzer.Options.Seed, clusters == 1 ? new SingleExpertRouterTrainer() : _options.Trainer(clusters), cancellationToken);
        RouterAssignment calibrated = RouterAssignment.Compute(router, calibration, chunk, device, cancellationToken);
        RouterAssignment evaluated = ReferenceEquals(calibration, evaluation)
            ? calibrated
            : RouterAssignment.Compute(router, evaluation, chunk, device, cancellationToken);
        IReadOnlyList<PruningResult> pruned = ClusterExpansion.Prune(
            layer, new ExpertTokens(calibration, calibrated, chunk, device), _sparsifier, _target, cancellationToken);
        try
        {
            Tensor[] weights = [.. pruned.Select(result => result.Weight)];
            SparsityComparison comparison = _analyzer.Compare(
                layer, weights, evaluation, evaluated, _options.Neurons, cancellationToken);
            return new ClusterSweepPoint
            {
                Clusters = clusters,
                Comparison = comparison,
                RelativeImprovement = comparison.RelativeImprovementOver(single ?? comparison),
                Entanglement = _options.AnalyzeClusters
                    ? _analyzer.AnalyzeClusters(layer, evaluation, evaluated, _options.Neurons, cancellationToken)
                    : null,
                SparseOutputs = Record(() =>
                    _analyzer.Outputs(
                        layer, weights, evaluation, evaluated, _options.RecordedNeurons, cancellationToken)),
            };
        }
        finally
        {
            foreach (PruningResult result in pruned)
            {
                result.Dispose();
            }
        }
    }

    private Dictionary<int, float[]> Record(Func<float[][]> outputs) => _options.RecordedNeurons.Count == 0
        ? []
        : _options.RecordedNeurons.Zip(outputs()).ToDictionary(entry => entry.First, entry => entry.Second);
}
