using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Correlations;
using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Measurements of one layer.</summary>
internal sealed record LayerResult
{
    /// <summary>Module path.</summary>
    public required string Layer { get; init; }

    /// <summary>Layers that read the same tensor, and therefore share clusters.</summary>
    public required IReadOnlyList<string> InputGroup { get; init; }

    public required int InFeatures { get; init; }

    /// <summary>Number of neurons.</summary>
    public required int OutFeatures { get; init; }

    /// <summary>Tokens that routers and pruners saw.</summary>
    public required long CalibrationTokens { get; init; }

    /// <summary>Tokens that everything was measured on.</summary>
    public required long MeasuredTokens { get; init; }

    /// <summary>Token pairs used for the mapping difficulty.</summary>
    public required int MappingPairs { get; init; }

    /// <summary>Neurons whose output is constant.</summary>
    public required int ConstantNeurons { get; init; }

    /// <summary>The neurons of largest W₁, largest first.</summary>
    public required IReadOnlyList<int> WassersteinNeurons { get; init; }

    /// <summary>The layer with 1 … experts.</summary>
    public required IReadOnlyList<ExpansionPoint> Expansions { get; init; }

    /// <summary>The control: random clusters, as many as in the largest of <see cref="Expansions"/>.</summary>
    public required ExpansionPoint RandomClusters { get; init; }

    /// <summary>Rank correlations of all measures, and of the relative improvement with the most experts.</summary>
    public required IReadOnlyList<RankCorrelationResult> Correlations { get; init; }

    /// <summary>Outputs of the most entangled neuron, dense and sparse.</summary>
    public required NeuronPicture Picture { get; init; }

    /// <summary>All neurons, in the order of the weight's rows.</summary>
    public required IReadOnlyList<NeuronStatistics> Neurons { get; init; }

    /// <summary>W₁ over all measured tokens, by neuron.</summary>
    public double[] Wasserstein() => [.. Neurons.Select(neuron => neuron.Wasserstein)];

    /// <summary>The correlation of two measures; null if one of them was not measured.</summary>
    public RankCorrelationResult? Correlation(string first, string second) =>
        Correlations.FirstOrDefault(
            entry => (entry.First, entry.Second) == (first, second) || (entry.First, entry.Second) == (second, first));
}
