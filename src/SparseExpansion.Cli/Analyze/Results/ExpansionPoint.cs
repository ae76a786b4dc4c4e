using System.Text.Json.Serialization;
using SparseExpansion.Analysis.Experiments;
using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>A layer with one number of experts: values by neuron, and summaries.</summary>
internal sealed record ExpansionPoint
{
    /// <summary>Requested number of clusters.</summary>
    public required int Clusters { get; init; }

    /// <summary>Measured tokens of every expert.</summary>
    public required IReadOnlyList<long> TokensPerExpert { get; init; }

    /// <summary>√(mean squared error) over all neurons and tokens.</summary>
    public required double OutputError { get; init; }

    /// <summary>RI of every neuron.</summary>
    public required IReadOnlyList<double> RelativeImprovement { get; init; }

    /// <summary>Root mean square error of every neuron, in units of its output.</summary>
    public required IReadOnlyList<double> RootMeanSquareError { get; init; }

    /// <summary>W₁ between sparse and dense outputs of every neuron, in units of its output.</summary>
    public required IReadOnlyList<double> SparseToDense { get; init; }

    /// <summary>W₁ of the dense neuron inside the clusters, weighted by tokens.</summary>
    public required IReadOnlyList<double> WeightedWasserstein { get; init; }

    /// <summary>Mapping difficulty of the dense neuron inside the clusters, weighted by tokens.</summary>
    public required IReadOnlyList<double> WeightedMappingDifficulty { get; init; }

    /// <summary>Change of W₁ by clustering, relative to W₁ over all tokens: −0.4 is 40 % lower.</summary>
    public required IReadOnlyList<double> WassersteinChange { get; init; }

    /// <summary>Median of <see cref="RelativeImprovement"/>.</summary>
    public double MedianRelativeImprovement => MeasureSummary.Of(RelativeImprovement).Median;

    [JsonIgnore]
    public bool IsSingle => Clusters == 1;

    public static ExpansionPoint Of(ClusterSweepPoint point, LayerEntanglement whole) => new()
    {
        Clusters = point.Clusters,
        TokensPerExpert = point.Comparison.TokensPerExpert,
        OutputError = point.Comparison.RootMeanSquareError,
        RelativeImprovement = point.RelativeImprovement,
        RootMeanSquareError = [.. point.Comparison.Neurons.Select(neuron => neuron.RootMeanSquareError)],
        SparseToDense = [.. point.Comparison.Neurons.Select(neuron => neuron.Wasserstein)],
        WeightedWasserstein = [.. point.Entanglement!.Neurons.Select(neuron => neuron.WeightedWasserstein)],
        WeightedMappingDifficulty = [.. point.Entanglement.Neurons.Select(neuron => neuron.WeightedMappingDifficulty)],
        WassersteinChange = point.Entanglement.WassersteinChange(whole),
    };
}
