using SparseExpansion.Analysis.Clusters;
using SparseExpansion.Analysis.Comparison;
using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Analysis.Panels;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>
/// Measures how entangled the neurons of linear layers are, what clustering and pruning do to them. Definitions: arXiv
/// 2405.15756.
/// </summary>
/// <remarks>
/// Exact over all tokens. Outputs are computed in float32 on the device of the weight, panel by panel of neurons, so
/// that the working memory stays within <see cref="AnalysisOptions.MemoryBudgetBytes"/>; measures are summed up in
/// float64. Holds options only and may be used from several threads. Methods throw <see cref="CalibrationException"/>,
/// naming the layer, for fewer than two tokens, tokens of another width and outputs that are not finite, and
/// <see cref="SparseExpansionException"/> where the budget does not hold a single neuron.
/// </remarks>
public sealed class EntanglementAnalyzer
{
    /// <summary>Creates the analyzer.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public EntanglementAnalyzer(AnalysisOptions? options = null)
    {
        Options = options ?? new AnalysisOptions();
        Options.Validate();
    }

    /// <summary>The options in force.</summary>
    public AnalysisOptions Options { get; }

    /// <summary>Measures every neuron of a dense layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tokens">Its inputs.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens and slices of neurons.</param>
    public LayerEntanglement Analyze(
        DenseLinear layer, ITokenSource tokens, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        AnalyzedTokens analyzed = Choose(layer.Name, layer.InFeatures, tokens);
        return Analyze(
            layer.Name, analyzed, OutputMap.Dense(layer.Weight, layer.Bias, analyzed.Count, All(layer.OutFeatures)),
            cancellationToken);
    }

    /// <summary>
    /// Measures every neuron of an expanded layer: the outputs are those of the experts that the router chooses.
    /// </summary>
    /// <param name="layer">The layer, however it stores its experts.</param>
    /// <param name="tokens">Its inputs.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens and slices of neurons.</param>
    public LayerEntanglement Analyze(
        SparseMixtureLayer layer, ITokenSource tokens, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        AnalyzedTokens analyzed = Choose(layer.Name, checked((int)layer.InFeatures), tokens);
        TokenClusters clusters = analyzed.Cluster(layer.Name, Route(layer, tokens, cancellationToken));
        OutputMap map = OutputMap.Mixture(layer, clusters, All(checked((int)layer.OutFeatures)));
        return Analyze(layer.Name, analyzed, map, cancellationToken);
    }

    /// <summary>Measures neurons of a dense layer inside each cluster of tokens.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tokens">Its inputs.</param>
    /// <param name="assignment">The cluster of every token.</param>
    /// <param name="neurons">The neurons to measure; null for all.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens and slices of neurons.</param>
    /// <remarks><see cref="AnalysisOptions.MappingPairs"/> counts for each cluster.</remarks>
    /// <exception cref="ArgumentException">The assignment is of other tokens, or there is no such neuron.</exception>
    public ClusterEntanglement AnalyzeClusters(
        DenseLinear layer, ITokenSource tokens, RouterAssignment assignment, IReadOnlyList<int>? neurons = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        AnalyzedTokens analyzed = Choose(layer.Name, layer.InFeatures, tokens);
        TokenClusters clusters = analyzed.Cluster(layer.Name, assignment);
        OutputMap map = OutputMap.Dense(layer.Weight, layer.Bias, analyzed.Count, Choose(layer, neurons));
        PanelPlan plan = Plan(layer.Name, analyzed, [map]);
        MappingPairs[]? pairs = Options.MappingPairs == 0
            ? null
            : DrawPairs(layer.Name, analyzed, clusters, map, plan, cancellationToken);
        var measurement = new ClusterMeasurement(layer.Name, map.Neurons, clusters, pairs);
        new PanelPass(layer.Name, analyzed, [map], plan, cancellationToken).Run(measurement.Visit);
        return new ClusterEntanglement { Layer = layer.Name, TokensPerCluster = clusters.Sizes(), Neurons = measurement.Results() };
    }

    /// <summary>Compares sparse experts with the dense layer.</summary>
    /// <param name="dense">The dense layer; its bias counts for the experts too.</param>
    /// <param name="expertWeights">One weight [out_features, in_features] for every expert of the assignment.</param>
    /// <param name="tokens">Inputs of the layer.</param>
    /// <param name="assignment">The expert of every token.</param>
    /// <param name="neurons">The neurons to compare; null for all.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens and slices of neurons.</param>
    /// <exception cref="ArgumentException">Weights, assignment or neurons do not fit the layer.</exception>
    public SparsityComparison Compare(
        DenseLinear dense,
        IReadOnlyList<Tensor> expertWeights,
        ITokenSource tokens,
        RouterAssignment assignment,
        IReadOnlyList<int>? neurons = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dense);
        AnalysisGuard.CheckExperts(dense, expertWeights, assignment);
        AnalyzedTokens analyzed = Choose(dense.Name, dense.InFeatures, tokens);
        TokenClusters clusters = analyzed.Cluster(dense.Name, assignment);
        var sparse = new OutputMap(
            expert => expertWeights[expert].alias(), clusters, dense.Bias, Choose(dense, neurons));
        return Compare(dense, sparse, clusters, analyzed, cancellationToken);
    }

    /// <summary>Compares an expanded layer with the dense one that it replaces.</summary>
    /// <param name="dense">The dense layer.</param>
    /// <param name="mixture">The expanded layer, however it stores its experts.</param>
    /// <param name="tokens">Inputs of the layer.</param>
    /// <param name="neurons">The neurons to compare; null for all.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens and slices of neurons.</param>
    /// <exception cref="ArgumentException">The layers differ in shape or device, or there is no such
    /// neuron.</exception>
    public SparsityComparison Compare(
        DenseLinear dense, SparseMixtureLayer mixture, ITokenSource tokens, IReadOnlyList<int>? neurons = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dense);
        AnalysisGuard.CheckMixture(dense, mixture);
        AnalyzedTokens analyzed = Choose(dense.Name, dense.InFeatures, tokens);
        TokenClusters clusters = analyzed.Cluster(dense.Name, Route(mixture, tokens, cancellationToken));
        return Compare(
            dense, OutputMap.Mixture(mixture, clusters, Choose(dense, neurons)), clusters, analyzed, cancellationToken);
    }

    /// <summary>Outputs of chosen neurons of a dense layer, for drawing their distributions.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tokens">Its inputs.</param>
    /// <param name="neurons">The neurons.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <returns>Outputs over the tokens, one array for each neuron.</returns>
    public float[][] Outputs(
        DenseLinear layer, ITokenSource tokens, IReadOnlyList<int> neurons,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(neurons);
        AnalyzedTokens analyzed = Choose(layer.Name, layer.InFeatures, tokens);
        return Outputs(
            layer.Name, analyzed, OutputMap.Dense(layer.Weight, layer.Bias, analyzed.Count, Choose(layer, neurons)),
            cancellationToken);
    }

    /// <summary>Outputs of chosen neurons of experts, for drawing their distributions.</summary>
    /// <param name="dense">The dense layer; its bias counts for the experts too.</param>
    /// <param name="expertWeights">One weight [out_features, in_features] for every expert of the assignment.</param>
    /// <param name="tokens">Inputs of the layer.</param>
    /// <param name="assignment">The expert of every token.</param>
    /// <param name="neurons">The neurons.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <returns>Outputs over the tokens, one array for each neuron.</returns>
    public float[][] Outputs(
        DenseLinear dense,
        IReadOnlyList<Tensor> expertWeights,
        ITokenSource tokens,
        RouterAssignment assignment,
        IReadOnlyList<int> neurons,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dense);
        ArgumentNullException.ThrowIfNull(neurons);
        AnalysisGuard.CheckExperts(dense, expertWeights, assignment);
        AnalyzedTokens analyzed = Choose(dense.Name, dense.InFeatures, tokens);
        TokenClusters clusters = analyzed.Cluster(dense.Name, assignment);
        return Outputs(
            dense.Name, analyzed,
            new OutputMap(expert => expertWeights[expert].alias(), clusters, dense.Bias, Choose(dense, neurons)),
            cancellationToken);
    }

    private float[][] Outputs(string layer, AnalyzedTokens analyzed, OutputMap map, CancellationToken cancellationToken)
    {
        var outputs = new float[map.Neurons.Length][];
        new PanelPass(layer, analyzed, [map], Plan(layer, analyzed, [map]), cancellationToken).Run(slice =>
        {
            var rows = new HostRows(slice.Outputs[0]);
            for (int row = 0; row < rows.Count; row++)
            {
                outputs[slice.First + row] = rows[row].ToArray();
            }
        });
        return outputs;
    }

    private LayerEntanglement Analyze(
        string layer, AnalyzedTokens analyzed, OutputMap map, CancellationToken cancellationToken)
    {
        PanelPlan plan = Plan(layer, analyzed, [map]);
        MappingPairs? pairs = Options.MappingPairs == 0
            ? null
            : DrawPairs(layer, analyzed, TokenClusters.One(analyzed.Count), map, plan, cancellationToken)[0];
        var measurement = new LayerMeasurement(layer, map.Neurons, GaussianQuantiles.For(analyzed.Count), pairs);
        new PanelPass(layer, analyzed, [map], plan, cancellationToken).Run(measurement.Visit);
        return new LayerEntanglement
        {
            Layer = layer,
            TokenCount = analyzed.Count,
            MappingPairs = pairs?.Count ?? 0,
            Neurons = measurement.Neurons,
            WassersteinNeurons = NeuronSelection.Top(
                measurement.Neurons.Select(neuron => neuron.Wasserstein), Options.TopShare),
        };
    }

    private SparsityComparison Compare(
        DenseLinear dense, OutputMap sparse, TokenClusters clusters, AnalyzedTokens analyzed,
        CancellationToken cancellationToken)
    {
        OutputMap[] maps = [OutputMap.Dense(dense.Weight, dense.Bias, analyzed.Count, sparse.Neurons), sparse];
        var measurement = new ComparisonMeasurement(dense.Name, sparse.Neurons, GaussianQuantiles.For(analyzed.Count));
        new PanelPass(dense.Name, analyzed, maps, Plan(dense.Name, analyzed, maps), cancellationToken)
            .Run(measurement.Visit);
        return new SparsityComparison { Layer = dense.Name, TokensPerExpert = clusters.Sizes(), Neurons = measurement.Neurons };
    }

    private PanelPlan Plan(string layer, AnalyzedTokens analyzed, OutputMap[] maps)
    {
        long pairs = Math.Min(Options.MappingPairs * (long)maps[0].Experts, analyzed.Count / 2);
        long fixedBytes = GaussianQuantiles.Bytes(analyzed.Count) + MappingPairs.Bytes(pairs, analyzed.Count)
            + maps.Sum(map => map.LoadBytes);
        var size = new AnalysisSize(
            layer, analyzed.Count, maps[0].Neurons.Length, maps[0].InFeatures, maps.Length,
            maps.Sum(map => map.Experts), fixedBytes);
        return PanelPlan.Create(size, Options.MemoryBudgetBytes, Options.ChunkTokens);
    }

    private MappingPairs[] DrawPairs(
        string layer, AnalyzedTokens analyzed, TokenClusters clusters, OutputMap map, PanelPlan plan,
        CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        Random random = SeededRandom.Create(Options.Seed);
        return [.. clusters.Members.Select(members => MappingPairs.Draw(
            layer, analyzed.Source, members, Options.MappingPairs, random, plan.ChunkTokens, map.Device,
            cancellationToken))];
    }

    private RouterAssignment Route(SparseMixtureLayer layer, ITokenSource tokens, CancellationToken cancellationToken)
    {
        using Tensor weight = layer.GetExpertWeight(0);
        return RouterAssignment.Compute(
            layer.InputGroup.Router, tokens, Options.ChunkTokens, weight.device, cancellationToken);
    }

    private AnalyzedTokens Choose(string layer, int inFeatures, ITokenSource tokens) =>
        AnalyzedTokens.Choose(layer, inFeatures, tokens, Options.SampleTokens, Options.Seed);

    private static int[] All(int count) => [.. Enumerable.Range(0, count)];

    private static int[] Choose(DenseLinear layer, IReadOnlyList<int>? neurons) =>
        neurons is null ? All(layer.OutFeatures) : AnalysisGuard.CheckNeurons(layer.Name, layer.OutFeatures, neurons);
}
