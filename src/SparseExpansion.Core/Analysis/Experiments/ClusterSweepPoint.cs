using SparseExpansion.Analysis.Clusters;
using SparseExpansion.Analysis.Comparison;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>A layer expanded to one number of clusters.</summary>
public sealed record ClusterSweepPoint
{
    /// <summary>Clusters asked for.</summary>
    public required int Clusters { get; init; }

    /// <summary>Sparse against dense outputs; its token counts tell how many experts came out.</summary>
    public required SparsityComparison Comparison { get; init; }

    /// <summary>RI = RMSE(single expert) / RMSE(this) for each neuron of <see cref="Comparison"/>.</summary>
    public required IReadOnlyList<double> RelativeImprovement { get; init; }

    /// <summary>The dense neurons inside the clusters; null if not asked for.</summary>
    public ClusterEntanglement? Entanglement { get; init; }

    /// <summary>Sparse outputs by neuron, one value a token, of the neurons to be recorded.</summary>
    public IReadOnlyDictionary<int, float[]> SparseOutputs { get; init; } = new Dictionary<int, float[]>();
}
